"""What lives as long as a `layout-parsing` instance: worker processes, connections, the pipeline."""

import logging

from docparse.documents import RenderPool
from docparse.fairness import FairLimiter
from docparse.image_store import ImageStore
from docparse.pipeline import Detect, DocumentPipeline
from docparse.recognition import Recognizer
from docparse.settings import Settings
from docparse.vlm_client import VlmClient
from docparse.vlm_dialects import DIALECTS


class Runtime:
    """Starts worker processes at once, and what belongs to an event loop with the first request."""

    def __init__(self, settings: Settings, detect: Detect, image_store: ImageStore | None) -> None:
        self._settings = settings
        self._image_store = image_store
        self._detect = detect
        self._pool = RenderPool(settings.render_workers, settings.render_timeout)
        self._pool.warm_up()
        self._client = VlmClient(
            settings.vlm_urls,
            settings.vlm_model,
            settings.vlm_timeout,
            settings.vlm_retries,
            DIALECTS[settings.vlm_backend],
        )
        self._pipeline: DocumentPipeline | None = None

    async def pipeline(self) -> DocumentPipeline:
        """The pipeline, bound to the running event loop."""
        if self._pipeline is None:
            settings = self._settings
            limiter = FairLimiter(settings.vlm_max_concurrency * len(settings.vlm_urls))
            recognizer = Recognizer(
                self._client,
                limiter,
                pixel_limits=settings.vlm_pixel_limits,
                repetition_guard=settings.vlm_repetition_guard,
                max_output_tokens=settings.vlm_max_output_tokens,
            )
            self._pipeline = DocumentPipeline(
                settings, self._pool, self._detect, recognizer, self._image_store
            )
            await self._client.__aenter__()
        return self._pipeline

    def close(self) -> None:
        """End the worker processes; the end of this process, which follows, closes the connections."""
        self._pool.close()
        if self._image_store is not None:
            self._image_store.close()
        # Triton no longer runs the event loop that could close them, and asyncio would complain of it.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
