"""What lives as long as a `layout-parsing` instance: worker processes, connections, the pipeline."""

import logging

from docparse.documents import RenderPool, sweep
from docparse.image_store import ImageStore
from docparse.parse_defaults import ParseDefaults
from docparse.pipeline import DocumentPipeline
from docparse.recognition import Recognizer
from docparse.scheduling import FairLimiter
from docparse.settings import Settings
from docparse.stages import Detect, Preprocess
from docparse.vlm_call import VlmPolicy
from docparse.vlm_client import VlmClient
from docparse.vlm_dialects import DIALECTS
from docparse.warming import warm_up_assembly

logger = logging.getLogger(__name__)


class Runtime:
    """Starts worker processes at once, and what belongs to an event loop with the first request."""

    def __init__(
        self,
        settings: Settings,
        detect: Detect,
        image_store: ImageStore | None,
        preprocess: Preprocess,
        defaults: ParseDefaults,
    ) -> None:
        self._settings = settings
        self._image_store = image_store
        self._detect = detect
        self._preprocess = preprocess
        self._defaults = defaults
        if swept := sweep(settings.spool_dir):
            logger.info("%d documents were left by a process that died; they are removed", swept)
        self._pool = RenderPool(settings.render_workers, settings.render_timeout, settings.max_pixels)
        self._pool.warm_up()
        warm_up_assembly()
        self._client = VlmClient(
            settings.vlm_urls,
            settings.vlm_model,
            VlmPolicy(
                timeout_seconds=settings.vlm_timeout,
                retries=settings.vlm_retries,
                circuit_failures=settings.vlm_circuit_failures,
                circuit_seconds=settings.vlm_circuit_seconds,
                quarantine_strikes=settings.vlm_quarantine_strikes,
                quarantine_seconds=settings.vlm_quarantine_seconds,
            ),
            api_key=settings.vlm_api_key.get_secret_value() if settings.vlm_api_key is not None else None,
            dialect=DIALECTS[settings.vlm_backend],
        )
        self._pipeline: DocumentPipeline | None = None

    async def pipeline(self) -> DocumentPipeline:
        """The pipeline, bound to the running event loop."""
        if self._pipeline is None:
            settings = self._settings
            per_server = settings.vlm_max_concurrency
            limiter = FairLimiter(per_server * len(settings.vlm_urls))
            # What a server that is not called would hold is not given to the others on top of their own.
            self._client.replicas.on_change = lambda called: limiter.set_capacity(per_server * max(1, called))
            recognizer = Recognizer(
                self._client,
                limiter,
                pixel_limits=settings.vlm_pixel_limits,
                repetition_guard=settings.vlm_repetition_guard,
                max_output_tokens=settings.vlm_max_output_tokens,
            )
            self._pipeline = DocumentPipeline(
                settings,
                self._pool,
                self._detect,
                recognizer,
                self._image_store,
                preprocess=self._preprocess,
                defaults=self._defaults,
            )
            await self._client.__aenter__()
        return self._pipeline

    def close(self) -> None:
        """End the worker processes; the end of this process, which follows, closes the connections."""
        if self._pipeline is not None:
            self._pipeline.close()
        self._pool.close()
        if self._image_store is not None:
            self._image_store.close()
        # Triton no longer runs the event loop that could close them, and asyncio would complain of it.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
