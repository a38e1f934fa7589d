"""What every document goes through, shared by all of them."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from docparse.deadline import PageTimes
from docparse.documents import RenderPool
from docparse.errors import LayoutUnavailable, PreprocessingUnavailable
from docparse.image_store import ImageStore
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.preprocessing import Preprocessed, PreprocessingOptions
from docparse.recognition import Recognizer
from docparse.scheduling import FairLimiter, FairThreads, PageWindow, Turn
from docparse.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")

# Until a model that is not there is called again.
_RETRY_SECONDS = 0.5

# For PaddleX's work over a whole document, which takes seconds: a large one does not keep a small one waiting, and more
# would only take the GIL from each other.
_DOCUMENT_THREADS = 2

Detect = Callable[["NDArray[np.uint8]", LayoutOptions], Awaitable[list[LayoutBox]]]
Preprocess = Callable[["NDArray[np.uint8]", PreprocessingOptions], Awaitable[Preprocessed]]


class Stages:
    """Pools, servers and the lines before them, on one event loop. Every line is a fair one."""

    def __init__(
        self,
        settings: Settings,
        pool: RenderPool,
        detect: Detect,
        recognizer: Recognizer,
        *,
        image_store: ImageStore | None,
        preprocess: Preprocess | None,
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.recognizer = recognizer
        self.image_store = image_store
        self.page_times = PageTimes()
        self.threads = FairThreads(settings.page_threads)
        self.document_threads = FairThreads(_DOCUMENT_THREADS, "document")
        self.large_pixels = FairLimiter(settings.max_large_pixels_in_flight)
        self.window = PageWindow(
            max_pages=settings.max_pages_in_work,
            max_preparing=settings.max_pages_in_preparation,
            is_wanted=self._is_line_short,
        )
        recognizer.limiter.on_change = self.window.look
        self._detect = detect
        self._preprocess = preprocess
        self._detections = FairLimiter(settings.layout_max_concurrency)

    async def detect(self, image: "NDArray[np.uint8]", options: LayoutOptions, turn: Turn) -> list[LayoutBox]:
        """Regions of a page, when it is its turn."""
        return await self._call_model(turn, lambda: self._detect(image, options))

    async def preprocess(
        self, image: "NDArray[np.uint8]", asked: PreprocessingOptions, turn: Turn
    ) -> Preprocessed | None:
        """The page turned and flattened, when it is its turn; None where no model for it is loaded."""
        preprocess = self._preprocess
        return None if preprocess is None else await self._call_model(turn, lambda: preprocess(image, asked))

    async def _call_model(self, turn: Turn, call: Callable[[], Awaitable[T]]) -> T:
        """Call another model, again while it is being loaded anew because its process has died."""
        gives_up_at: float | None = None
        while True:
            async with self._detections.slot(turn):
                try:
                    return await call()
                except (LayoutUnavailable, PreprocessingUnavailable):
                    now = time.monotonic()
                    gives_up_at = now + self.settings.layout_patience if gives_up_at is None else gives_up_at
                    if now >= gives_up_at:
                        raise
            await asyncio.sleep(_RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311

    def _is_line_short(self) -> bool:
        """Whether fewer regions wait than the VLMs hold: the line would be empty before the next pages are there."""
        limiter = self.recognizer.limiter
        return limiter.waiting < limiter.capacity
