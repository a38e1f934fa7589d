"""A document, parsed: pages rendered ahead, laid out, recognised and sent, each as soon as it is done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from docparse.assembly import (
    ImageKeys,
    PageOrder,
    ParsedPage,
    assemble_page,
    build_element,
    render_page,
    restructure,
)
from docparse.documents import Document, RenderPool, open_document
from docparse.errors import DocparseError, InvalidDocument, PageFailure
from docparse.fairness import FairLimiter
from docparse.image_store import ImageStore, publish_pictures
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.options import ParseOptions
from docparse.protocol import DocumentRequest, document_event, page_event
from docparse.recognition import Recognizer
from docparse.regions import build_regions
from docparse.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# A4 at 200 dpi is 3.9 million. The number of pages in flight bounds the memory of pages up to this size.
_ORDINARY_PAGE_PIXELS = 6_000_000

Detect = Callable[["NDArray[np.uint8]", LayoutOptions], Awaitable[list[LayoutBox]]]
Send = Callable[[bytes], None]
TakePage = Callable[[int, ParsedPage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stages:
    """What every document goes through, shared by all of them on one event loop."""

    settings: Settings
    pool: RenderPool
    detect: Detect
    recognizer: Recognizer
    pages_in_flight: FairLimiter
    large_pixels_in_flight: FairLimiter
    image_store: ImageStore | None = None


class DocumentPipeline:
    """Composes the stages; one per process."""

    def __init__(
        self,
        settings: Settings,
        pool: RenderPool,
        detect: Detect,
        recognizer: Recognizer,
        image_store: ImageStore | None = None,
    ) -> None:
        self._stages = Stages(
            settings,
            pool,
            detect,
            recognizer,
            pages_in_flight=FairLimiter(settings.max_pages_in_flight),
            large_pixels_in_flight=FairLimiter(settings.max_large_pixels_in_flight),
            image_store=image_store,
        )

    async def parse(self, data: "bytes | NDArray[np.uint8]", request: DocumentRequest, send: Send) -> int:
        """Parse one document, sending its events as they come; returns the number of pages sent.

        Raises:
            DocparseError: the whole document cannot be parsed; pages already sent stand.
            TimeoutError: the request's clock ran out.
        """
        pool, settings = self._stages.pool, self._stages.settings
        async with asyncio.timeout(request.timeout_seconds):
            options = ParseOptions.from_wire(request.parse)
            async with open_document(data, request.kind, options.page_ranges, pool, settings) as document:
                scale = settings.render_scale if document.kind == "pdf" else None
                send(document_event(document.kind, document.pages, document.total_pages, scale))
                run = _DocumentRun(self._stages, document, options, send)
                await (run.send_restructured() if options.restructure_pages else run.send_as_done())
                return len(document.pages)


class _DocumentRun:
    """One document on its way, a bounded window of its pages in work at a time."""

    def __init__(self, stages: Stages, document: Document, options: ParseOptions, send: Send) -> None:
        self._stages = stages
        self._document = document
        self._options = options
        self._send = send
        self._image_keys = ImageKeys()
        self._order = PageOrder()
        self._entrance = asyncio.Lock()
        self._window = asyncio.Semaphore(stages.settings.pages_ahead)

    async def send_as_done(self) -> None:
        """Send each page the moment it is finished, in any order."""
        await self._each_page(self._send_page)

    async def send_restructured(self) -> None:
        """Send all pages once the last is parsed: tables and titles are joined over the whole document."""
        parsed: dict[int, ParsedPage] = {}

        async def keep(position: int, page: ParsedPage) -> None:
            parsed[position] = page

        await self._each_page(keep)
        pages = [parsed[position] for position in sorted(parsed)]
        for position, page in enumerate(await asyncio.to_thread(restructure, pages, self._options)):
            await self._send_page(position, page)

    async def _each_page(self, take: TakePage) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for position in range(len(self._document.pages)):
                    await self._window.acquire()  # a page that is not yet in work costs nothing
                    group.create_task(self._one_page(position, take))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _one_page(self, position: int, take: TakePage) -> None:
        try:
            # The picture of the page is held until it is sent, so its place is too.
            async with AsyncExitStack() as places:
                # In order, for a page with places may wait for what the pages before it have to tell.
                async with self._entrance:
                    await places.enter_async_context(self._place(position))
                    await places.enter_async_context(self._stages.pages_in_flight.slot(self))
                await take(position, await self._parse_or_excuse(position))
        finally:
            self._window.release()

    def _place(self, position: int) -> AbstractAsyncContextManager[None]:
        """A page of ordinary size counts as a page; a larger one counts by its pixels as well."""
        size = self._document.pages[position]
        pixels = size.width * size.height
        if pixels <= _ORDINARY_PAGE_PIXELS:
            return nullcontext()
        return self._stages.large_pixels_in_flight.slot(self, pixels)

    async def _parse_or_excuse(self, position: int) -> ParsedPage:
        """A page that fails is an empty page with a warning; what every page needs fails the document."""
        try:
            return await self._parse(position)
        except DocparseError:
            raise
        except PageFailure as failure:
            if len(self._document.pages) == 1:
                raise InvalidDocument(str(failure)) from failure
            return await self._empty_page(position, "page_failed", str(failure))
        except Exception:  # the boundary of a page: our own mistake costs this page, not the document
            logger.exception("page %d failed", position + 1)
            return await self._empty_page(position, "internal", f"Page {position + 1} could not be parsed.")
        finally:
            self._order.tell(position)

    async def _parse(self, position: int) -> ParsedPage:
        stages, options = self._stages, self._options
        image = await self._document.render(position)
        boxes = await stages.detect(image, options.layout) if options.use_layout_detection else None
        regions = await asyncio.to_thread(build_regions, image, boxes, options, position=position)
        self._image_keys.announce(position, regions.image_keys)
        self._order.tell(position)
        recognitions = await stages.recognizer.recognise(regions.requests, options.sampling, self)
        return await asyncio.to_thread(assemble_page, regions, recognitions, options)

    async def _empty_page(self, position: int, code: str, message: str) -> ParsedPage:
        def assemble() -> ParsedPage:
            size = self._document.pages[position]
            blank = np.full((size.height, size.width, 3), 255, np.uint8)
            regions = build_regions(blank, [], self._options, position=position)
            return assemble_page(regions, {}, self._options, warnings=[{"code": code, "message": message}])

        return await asyncio.to_thread(assemble)

    async def _send_page(self, position: int, page: ParsedPage) -> None:
        if page.image_keys:
            # For their layout, never for their texts: the names of pictures are the same then in every run.
            await self._order.wait_for_pages_before(position)
        try:
            element = await self._written(page)
        except Exception:  # the boundary of a page, as in `_parse_or_excuse`
            logger.exception("page %d failed", position + 1)
            message = f"Page {position + 1} could not be written."
            element = await self._written(await self._empty_page(position, "internal", message))
        self._send(page_event(position, element))

    async def _written(self, page: ParsedPage) -> bytes:
        store = self._stages.image_store
        if store is None:
            return await asyncio.to_thread(render_page, page, self._options, self._image_keys)
        element = await asyncio.to_thread(build_element, page, self._options, self._image_keys)
        await publish_pictures(element, store)
        return await asyncio.to_thread(element.to_json)
