"""What lives as long as a `layout-parsing` instance: worker processes, connections, the pipeline."""

import asyncio
from contextlib import suppress

from docparse.documents import RenderPool
from docparse.fairness import FairLimiter
from docparse.pipeline import Detect, DocumentPipeline
from docparse.recognition import Recognizer
from docparse.settings import Settings
from docparse.vlm_client import VlmClient

# Closing connections is a courtesy; shutdown does not wait longer for it.
_CLOSE_SECONDS = 2.0


class Runtime:
    """Starts worker processes at once, and what belongs to an event loop with the first request."""

    def __init__(self, settings: Settings, detect: Detect) -> None:
        self._settings = settings
        self._detect = detect
        self._pool = RenderPool(settings.render_workers, settings.render_timeout)
        self._pool.warm_up()
        self._client = VlmClient(
            settings.vlm_urls, settings.vlm_model, settings.vlm_timeout, settings.vlm_retries
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pipeline: DocumentPipeline | None = None

    async def pipeline(self) -> DocumentPipeline:
        """The pipeline, bound to the running event loop."""
        if self._pipeline is None:
            self._loop = asyncio.get_running_loop()
            settings = self._settings
            limiter = FairLimiter(settings.vlm_max_concurrency * len(settings.vlm_urls))
            recognizer = Recognizer(self._client, limiter, settings.vlm_pixel_limits)
            self._pipeline = DocumentPipeline(settings, self._pool, self._detect, recognizer)
            await self._client.__aenter__()
        return self._pipeline

    def close(self) -> None:
        """End the worker processes and close connections; called from another thread than the loop's."""
        self._pool.close()
        if self._loop is not None and self._loop.is_running():
            closing = asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop)
            with suppress(TimeoutError):
                closing.result(_CLOSE_SECONDS)
