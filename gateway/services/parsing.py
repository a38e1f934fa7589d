"""One document through Triton: a place, the stream of events, and the books that they must balance."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from gateway.deadline import Deadline
from gateway.errors import InternalError
from gateway.models.documents import Document, Kind
from gateway.models.events import DocumentEvent, PageEvent
from gateway.models.records import RequestRecord
from gateway.services.admission import Admission
from gateway.services.pages import DocumentInFlight, PagesInFlight
from gateway.upstreams.triton import Triton

logger = logging.getLogger(__name__)

Sink = Callable[[DocumentEvent | PageEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ParseJob:
    """A checked request. `taken` is called when Triton has the document, and nothing of it is held here."""

    log_id: str
    document: Document
    parse: Mapping[str, Any]
    taken: Callable[[], None] = lambda: None

    @property
    def may_be_long(self) -> bool:
        """Whether it may have more than one page to parse. Nobody has counted them yet; the model will."""
        asked_for_one = str(self.parse.get("page_ranges")).isdecimal()
        return self.document.kind in (Kind.PDF, Kind.TIFF) and not asked_for_one


class Ledger:
    """Sees that a stream is one document event, then each of its pages once."""

    def __init__(self) -> None:
        self.document: DocumentEvent | None = None
        self._missing: set[int] = set()

    def enter(self, event: DocumentEvent | PageEvent) -> None:
        """Book one event; InternalError when it is out of place."""
        if isinstance(event, DocumentEvent):
            if self.document is not None:
                raise _out_of_balance("a second document event")
            self.document = event
            self._missing = set(range(len(event.pages)))
        elif event.index in self._missing:
            self._missing.remove(event.index)
        else:
            raise _out_of_balance(f"page {event.index} was not due")

    def close(self) -> DocumentEvent:
        """The document, when nothing is missing at the end; InternalError otherwise."""
        if self.document is None or self._missing:
            raise _out_of_balance(f"{len(self._missing)} pages are missing at the end")
        return self.document


def _out_of_balance(what: str) -> InternalError:
    logger.error("layout-parsing: %s", what)
    return InternalError()


class Parsing:
    """Runs jobs within the gateway's limits."""

    def __init__(self, *, triton: Triton, admission: Admission, pages: PagesInFlight) -> None:
        self._triton = triton
        self._admission = admission
        self.pages = pages

    async def run(
        self, job: ParseJob, deadline: Deadline, record: RequestRecord, sink: Sink
    ) -> DocumentEvent:
        """Wait for a place, stream the document through Triton, and hand each event to `sink` as it comes.

        Cancelling this coroutine cancels the work in Triton and frees the place.

        Raises:
            GatewayError: TooBusy, DeadlineExceeded, whatever the model said, or that Triton is gone.
        """
        may_be_long = job.may_be_long
        async with deadline.enforce(), self._admission.place_noted(record, may_be_long=may_be_long):
            with self.pages.document(may_be_long=may_be_long) as document:
                return await self._stream(job, deadline, record, sink, document)

    async def _stream(
        self, job: ParseJob, deadline: Deadline, record: RequestRecord, sink: Sink, document: DocumentInFlight
    ) -> DocumentEvent:
        began = time.monotonic()
        ledger = Ledger()
        try:
            async with aclosing(
                self._triton.parse(
                    job.document,
                    log_id=job.log_id,
                    parse=job.parse,
                    timeout_seconds=deadline.remaining_seconds(),
                )
            ) as events:
                async for event in events:
                    job.taken()
                    ledger.enter(event)
                    if isinstance(event, PageEvent):
                        record.pages = (record.pages or 0) + 1
                        document.finish_page()
                    else:
                        document.expect(len(event.pages))
                    await sink(event)
        finally:
            record.inference_seconds = time.monotonic() - began
        return ledger.close()
