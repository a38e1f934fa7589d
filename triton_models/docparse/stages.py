"""What every document goes through, shared by all of them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from docparse.deadline import PageTimes
from docparse.documents import RenderPool
from docparse.image_store import ImageStore
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.preprocessing import Preprocessed, PreprocessingOptions
from docparse.recognition import Recognizer
from docparse.scheduling import FairLimiter, FairThreads, PageWindow, Turn
from docparse.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
        async with self._detections.slot(turn):
            return await self._detect(image, options)

    async def preprocess(
        self, image: "NDArray[np.uint8]", asked: PreprocessingOptions, turn: Turn
    ) -> Preprocessed | None:
        """The page turned and flattened, when it is its turn; None where no model for it is loaded."""
        if self._preprocess is None:
            return None
        async with self._detections.slot(turn):
            return await self._preprocess(image, asked)

    def _is_line_short(self) -> bool:
        """Whether fewer regions wait than the VLMs hold: the line would be empty before the next pages are there."""
        limiter = self.recognizer.limiter
        return limiter.waiting < limiter.capacity
