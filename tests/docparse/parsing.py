"""The pipeline as one process runs it, between a layout that a test scripts and a VLM server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from docparse.deadline import PageTimes
from docparse.documents import RenderPool
from docparse.image_store import ImageStore
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.pipeline import DocumentPipeline
from docparse.protocol import DocumentRequest
from docparse.recognition import Recognizer
from docparse.scheduling import FairLimiter
from docparse.settings import Settings
from docparse.vlm_client import VlmClient
from tests.docparse.pages import box
from tests.docparse.vlm import client_for
from tests.fakes.vlm import Completion, FakeVlm, running_vlm

# Only a hang ever lasts this long, even on a busy machine.
HANG_SECONDS = 60


@dataclass(frozen=True)
class PageSeen:
    """A page as the layout sees it; `pdf_bytes` gives every page of a document a grey of its own."""

    width: int
    grey: int


def grey_of(number: int, pages: int) -> int:
    """Grey of the page `number` (from 0) of `pdf_bytes(pages)`."""
    return round(255 * number / max(pages, 2))


class Changes:
    """Wakes whoever waits for something that the layout or a document does."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while not condition():
                await self._next.wait()


class ScriptedLayout:
    """Gives every page the same boxes; `before` may hold a page or fail it."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.boxes: list[LayoutBox] = [box("text", 20, 20, 180, 80)]
        self.before: Callable[[PageSeen], Awaitable[None]] | None = None
        self.seen: list[PageSeen] = []
        self.running = 0
        self.most_running = 0
        self.cancelled = 0

    async def detect(self, image: np.ndarray, options: LayoutOptions) -> list[LayoutBox]:
        page = PageSeen(image.shape[1], round(float(image.mean())))
        self.seen.append(page)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self._changes.tell()
        try:
            if self.before is not None:
                await self.before(page)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
            self._changes.tell()
        return self.boxes


class Parsing:
    """One document in the pipeline, and the events that it has sent."""

    def __init__(self, parse: Callable[[Callable[[bytes], None]], Awaitable[int]], changes: Changes) -> None:
        self._changes = changes
        self.events: list[dict[str, Any]] = []
        self.elements: dict[int, dict[str, Any]] = {}
        self.task = asyncio.ensure_future(parse(self._take))

    def _take(self, event: bytes) -> None:
        header, _, element = event.partition(b"\n")
        self.events.append(json.loads(header))
        if element:
            assert self.events[-1]["index"] not in self.elements
            self.elements[self.events[-1]["index"]] = json.loads(element)
        self._changes.tell()

    @property
    def texts(self) -> list[list[str]]:
        """The contents of the blocks of each page, in the order of pages."""
        return [
            [block["block_content"] for block in self.elements[index]["prunedResult"]["parsing_res_list"]]
            for index in sorted(self.elements)
        ]

    async def finish(self) -> "Parsing":
        async with asyncio.timeout(HANG_SECONDS):
            await self.task
        return self


class RunningPipeline:
    def __init__(
        self,
        settings: Settings,
        pool: RenderPool,
        vlm: FakeVlm,
        client: VlmClient,
        image_store: ImageStore | None,
    ) -> None:
        self.changes = Changes()
        self.layout = ScriptedLayout(self.changes)
        self.vlm = vlm
        self._limiter = FairLimiter(settings.vlm_max_concurrency)
        recognizer = Recognizer(
            client,
            self._limiter,
            pixel_limits=settings.vlm_pixel_limits,
            repetition_guard=settings.vlm_repetition_guard,
            max_output_tokens=settings.vlm_max_output_tokens,
        )
        self._pipeline = DocumentPipeline(settings, pool, self.layout.detect, recognizer, image_store)

    @property
    def page_times(self) -> PageTimes:
        """What the pipeline has measured."""
        return self._pipeline._stages.page_times

    def parse(self, data: bytes, kind: str = "pdf", seconds: float = HANG_SECONDS, **options: Any) -> Parsing:
        """Begin to parse a document."""
        request = DocumentRequest("log", kind, seconds, {"visualize": False, **options})
        return Parsing(lambda send: self._pipeline.parse(data, request, send), self.changes)

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.changes.until(condition)

    async def until_waiting(self, regions: int) -> None:
        """Until so many stand in line for the VLM."""
        async with asyncio.timeout(HANG_SECONDS):
            while self._limiter.waiting < regions:  # noqa: ASYNC110  a line tells nobody of its length
                await asyncio.sleep(0.002)


@asynccontextmanager
async def running_pipeline(
    pool: RenderPool, settings: Settings, image_store: ImageStore | None = None
) -> AsyncIterator[RunningPipeline]:
    """The VLM says of each region what grey it is; a fault of it is not tried again."""
    async with (
        running_vlm(say_grey) as vlm,
        client_for(vlm, timeout_seconds=HANG_SECONDS, retries=0) as client,
    ):
        yield RunningPipeline(settings, pool, vlm, client, image_store)


async def hold_all_but_the_first(page: PageSeen) -> None:
    """For a layout that lays out the first page of a document and no other."""
    if page.grey != 0:
        await asyncio.Event().wait()


async def say_grey(completion: Completion) -> str:
    return f"grey {grey_in(completion)}"


def say_grey_after(go_on: asyncio.Event) -> Callable[[Completion], Awaitable[str]]:
    """A VLM that answers nobody before then."""

    async def reply(completion: Completion) -> str:
        await go_on.wait()
        return await say_grey(completion)

    return reply


def grey_in(completion: Completion) -> int:
    picture = cv2.imdecode(np.frombuffer(completion.image, np.uint8), cv2.IMREAD_GRAYSCALE)
    return round(float(picture.mean()))
