"""A document, parsed: pages rendered ahead, laid out, recognised and sent, each as soon as it is done."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import numpy as np

from docparse.assembly import (
    ImageKeys,
    PageOrder,
    ParsedPage,
    assemble_page,
    build_element,
    encode_pictures,
    render_page,
    restructure,
)
from docparse.deadline import Deadline
from docparse.documents import Document, RenderPool, open_document
from docparse.errors import DeadlineExceeded, DocparseError, InvalidDocument, PageFailure
from docparse.image_store import ImageStore, publish_pictures
from docparse.options import ParseOptions
from docparse.parse_defaults import SHIPPED_DEFAULTS, ParseDefaults
from docparse.protocol import DocumentRequest, document_event, page_event
from docparse.recognition import EncodedRegion, Recognizer
from docparse.regions import PageOrigin, PageRegions, build_regions
from docparse.scheduling import BegunPage, Hold, Owner, Turn
from docparse.settings import Settings
from docparse.stages import Detect, Preprocess, Stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# A4 at 200 dpi is 3.9 million. The number of pages in flight bounds the memory of pages up to this size.
_ORDINARY_PAGE_PIXELS = 6_000_000

_ENDS_EARLY = {
    "code": "image_truncated",
    "message": "The JPEG ends before its end; what is missing of it is grey.",
}

Send = Callable[[bytes], None]
TakePage = Callable[[int, ParsedPage], Awaitable[None]]


class DocumentPipeline:
    """Composes the stages; one per process."""

    def __init__(
        self,
        settings: Settings,
        pool: RenderPool,
        detect: Detect,
        recognizer: Recognizer,
        image_store: ImageStore | None = None,
        *,
        preprocess: Preprocess | None = None,
        defaults: ParseDefaults = SHIPPED_DEFAULTS,
    ) -> None:
        """`preprocess` is needed where the defaults say that a model for it is loaded."""
        self._defaults = defaults
        self._stages = Stages(
            settings, pool, detect, recognizer, image_store=image_store, preprocess=preprocess
        )

    def close(self) -> None:
        """End its threads."""
        self._stages.threads.close()
        self._stages.document_threads.close()

    async def parse(self, data: "bytes | NDArray[np.uint8]", request: DocumentRequest, send: Send) -> int:
        """Parse one document, sending its events as they come; returns the number of pages sent.

        Raises:
            DocparseError: the whole document cannot be parsed, or its clock ran out; pages already sent stand.
        """
        options = ParseOptions.from_wire(request.parse, self._defaults)
        deadline = Deadline(request.timeout_seconds)
        if not self._stages.page_times.allow(deadline):
            raise DeadlineExceeded("What was left of the time limit is too short for a page.")
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._parse(data, request, options, send, deadline)
        except TimeoutError as error:
            raise DeadlineExceeded("The document was not finished within the time limit.") from error

    async def _parse(
        self,
        data: "bytes | NDArray[np.uint8]",
        request: DocumentRequest,
        options: ParseOptions,
        send: Send,
        deadline: Deadline,
    ) -> int:
        pool, settings, owner = self._stages.pool, self._stages.settings, Owner()
        async with open_document(
            data, request.kind, options.page_ranges, pool, settings, owner=owner
        ) as document:
            scale = settings.render_scale if document.kind == "pdf" else None
            send(document_event(document.kind, document.pages, document.total_pages, scale))
            owner.pages_left = len(document.pages)
            run = _DocumentRun(self._stages, document, options, send, owner=owner, deadline=deadline)
            await (run.send_restructured() if options.restructure_pages else run.send_as_done())
            return len(document.pages)


class _DocumentRun:
    """One document on its way; its pages are begun in order, when `PageWindow` says so."""

    def __init__(
        self,
        stages: Stages,
        document: Document,
        options: ParseOptions,
        send: Send,
        *,
        owner: Owner,
        deadline: Deadline,
    ) -> None:
        self._stages = stages
        self._document = document
        self._options = options
        self._send = send
        self._owner = owner
        self._deadline = deadline
        self._image_keys = ImageKeys()
        self._order = PageOrder()

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
        run, turn = self._stages.document_threads.run, Turn(self._owner)
        for position, page in enumerate(await run(turn, restructure, pages, self._options)):
            await self._send_page(position, page)

    async def _each_page(self, take: TakePage) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for position in range(len(self._document.pages)):
                    if not await self._begin(position, group, take):
                        break
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        if self._owner.pages_left:
            raise DeadlineExceeded("The time limit was too short for all pages of the document.")

    async def _begin(self, position: int, group: asyncio.TaskGroup, take: TakePage) -> bool:
        """Start the page's task once there is room for it; false when it could not be done in time.

        A page that is not begun costs nothing.
        """
        turn = Turn(self._owner, position)
        pixels = await self._hold_pixels(turn)
        try:
            place = await self._stages.window.begin(turn, pixels.release)
        except BaseException:
            pixels.release()
            raise
        if not self._stages.page_times.allow(self._deadline):
            place.end()
            return False
        try:
            task = group.create_task(self._one_page(position, place, take))
        except RuntimeError:  # another page has failed the document
            place.end()
            raise
        # Not in the task, which is never entered when it is cancelled at once.
        task.add_done_callback(lambda _: place.end())
        return True

    async def _hold_pixels(self, turn: Turn) -> Hold:
        """A page of ordinary size counts as a page; a larger one counts by its pixels as well."""
        size = self._document.pages[turn.page]
        pixels = size.width * size.height
        return (
            await self._stages.large_pixels.hold(turn, pixels) if pixels > _ORDINARY_PAGE_PIXELS else Hold()
        )

    async def _one_page(self, position: int, place: BegunPage, take: TakePage) -> None:
        began_at = time.monotonic()
        await take(position, await self._parse_or_excuse(position, place))
        self._owner.pages_left -= 1
        self._stages.page_times.add(time.monotonic() - began_at)

    async def _parse_or_excuse(self, position: int, place: BegunPage) -> ParsedPage:
        """A page that fails is an empty page with a warning; what every page needs fails the document."""
        try:
            return await self._parse(position, place)
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

    async def _parse(self, position: int, place: BegunPage) -> ParsedPage:
        stages, options, turn = self._stages, self._options, Turn(self._owner, position)
        regions, encoded = await self._prepare(position, turn)
        self._image_keys.announce(position, regions.image_keys)
        self._order.tell(position)
        on_asked = (lambda: None) if options.draws_readings else place.prepared
        recognitions = await stages.recognizer.recognise(
            encoded, options.sampling, turn, self._deadline, on_asked
        )
        warnings = [_ENDS_EARLY] if self._document.ends_early else []
        return await stages.threads.run(turn, assemble_page, regions, recognitions, options, warnings)

    async def _prepare(self, position: int, turn: Turn) -> tuple[PageRegions, list[EncodedRegion]]:
        """Everything that needs the page's pixels; they are gone when it returns."""
        stages, options = self._stages, self._options
        image, origin = await self._preprocess(await self._document.render(position, self._owner), turn)
        boxes = await stages.detect(image, options.layout, turn) if options.use_layout_detection else None

        def cut() -> tuple[PageRegions, list[EncodedRegion]]:
            regions = build_regions(image, boxes, options, position=position)
            regions.origin = origin
            encode_pictures(regions, options)
            encoded = stages.recognizer.encode(regions.requests)
            regions.requests.clear()
            return regions, encoded

        return await stages.threads.run(turn, cut)

    async def _preprocess(
        self, image: "NDArray[np.uint8]", turn: Turn
    ) -> tuple["NDArray[np.uint8]", PageOrigin | None]:
        """The page as it goes on, and how it came to look like that."""
        asked = self._options.preprocessing
        done = None if asked is None else await self._stages.preprocess(image, asked, turn)
        if asked is None or done is None:
            return image, None
        return done.image, PageOrigin(asked, done.angle, image if self._options.visualize else None)

    async def _empty_page(self, position: int, code: str, message: str) -> ParsedPage:
        def assemble() -> ParsedPage:
            size = self._document.pages[position]
            blank = np.full((size.height, size.width, 3), 255, np.uint8)
            regions = build_regions(blank, [], self._options, position=position)
            return assemble_page(regions, {}, self._options, warnings=[{"code": code, "message": message}])

        return await self._stages.threads.run(Turn(self._owner, position), assemble)

    async def _send_page(self, position: int, page: ParsedPage) -> None:
        if page.image_keys:
            # For their layout, never for their texts: the names of pictures are the same then in every run.
            await self._order.wait_for_pages_before(position)
        try:
            element = await self._written(position, page)
        except Exception:  # the boundary of a page, as in `_parse_or_excuse`
            logger.exception("page %d failed", position + 1)
            message = f"Page {position + 1} could not be written."
            element = await self._written(position, await self._empty_page(position, "internal", message))
        self._send(page_event(position, element))

    async def _written(self, position: int, page: ParsedPage) -> bytes:
        store, run, turn = self._stages.image_store, self._stages.threads.run, Turn(self._owner, position)
        if store is None:
            return await run(turn, render_page, page, self._options, self._image_keys)
        element = await run(turn, build_element, page, self._options, self._image_keys)
        await publish_pictures(element, store)
        return await run(turn, element.to_json)
