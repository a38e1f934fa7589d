"""The two forms of an answer: one JSON object, or lines as pages get done. What models say stays bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError, InternalError, ReaderTooSlow
from gateway.models.events import DocumentEvent, PageEvent
from gateway.models.records import RequestRecord
from gateway.routes.errors import error_body
from gateway.services.backlog import Backlog, Backlogs
from gateway.services.parsing import Sink
from gateway.services.shelf import Shelf

logger = logging.getLogger(__name__)

# Runs a job, and gives what is known of its document at the end.
Run = Callable[[Sink], Awaitable[DocumentEvent]]

NDJSON = "application/x-ndjson"
# A client that has not taken a piece by then is slow: the rest of its answer need not wait in memory.
PATIENCE_SECONDS = 1.0
# A smaller answer is sent at once: sockets hold as much, and each piece would cost a call of the system.
ONE_PIECE_BYTES = 64 * 1024


class ParsedAnswer(Response):
    """A document that is parsed while it is answered, so nobody knows yet how long the answer is."""

    def __init__(self, record: RequestRecord, backlogs: Backlogs, run: Run) -> None:
        super().__init__()
        del self.headers["Content-Length"]
        self._record = record
        self._backlogs = backlogs
        self._run = run


class DocumentAnswer(ParsedAnswer):
    """A parsed document as one object. Its pages are never joined in memory, and not all held there."""

    media_type = "application/json"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Run the job, then send its pages in their order. Errors of the job are raised before anything is sent."""
        with self._backlogs.open() as disk:
            shelf = Shelf(disk, memory_bytes=self._backlogs.memory_bytes)

            async def keep(event: DocumentEvent | PageEvent) -> None:
                if isinstance(event, PageEvent):
                    await shelf.put(event.index, event.result)

            document = await self._run(keep)
            await self._send(send, document, shelf)

    async def _send(self, send: Send, document: DocumentEvent, shelf: Shelf) -> None:
        head, tail = _around_pages(self._record.log_id, document)
        pages = len(document.pages)
        size = len(head) + shelf.total_bytes + pages - 1 + len(tail)
        self.headers["Content-Length"] = str(size)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if size <= ONE_PIECE_BYTES:
            body = b",".join([await shelf.take(number) for number in range(pages)])
            await send({"type": "http.response.body", "body": head + body + tail, "more_body": False})
            return
        for number in range(pages):
            await _send_patiently(send, b"," if number else head, shelf.put_away)
            await _send_patiently(send, await shelf.take(number), shelf.put_away)
        await send({"type": "http.response.body", "body": tail, "more_body": False})


def _around_pages(log_id: str, document: DocumentEvent) -> tuple[bytes, bytes]:
    """The JSON before the pages of a document, and after them."""
    head = b'{"logId":' + orjson.dumps(log_id) + b',"result":{"layoutParsingResults":['
    info = orjson.dumps(document.data_info())
    return head, b'],"dataInfo":' + info + b'},"errorCode":0,"errorMsg":"Success"}'


class ResultAnswer(Response):
    """A result that is finished JSON itself. What a slow client has not taken in time waits on disk."""

    media_type = "application/json"

    def __init__(self, log_id: str, result: bytes, backlogs: Backlogs) -> None:
        head = b'{"logId":' + orjson.dumps(log_id) + b',"result":'
        self._pieces = [b',"errorCode":0,"errorMsg":"Success"}', result, head]  # the next is the last
        self._backlogs = backlogs
        super().__init__(headers={"Content-Length": str(sum(map(len, self._pieces)))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the pieces, each freed when it is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with self._backlogs.open() as backlog:
            while self._pieces:
                await _send_patiently(send, self._pieces.pop(), lambda: self._put_away(backlog))
            backlog.finish()
            while (piece := await backlog.get()) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _put_away(self, backlog: Backlog) -> None:
        with suppress(ReaderTooSlow):  # it stays in memory then
            while self._pieces:
                await backlog.put_on_disk(self._pieces[-1])
                self._pieces.pop()


async def _send_patiently(send: Send, piece: bytes, put_away: Callable[[], Awaitable[None]]) -> None:
    """Send a piece; when the client does not take it in time, the rest is put away meanwhile."""
    sending = asyncio.ensure_future(send({"type": "http.response.body", "body": piece, "more_body": True}))
    del piece
    try:
        await asyncio.wait({sending}, timeout=PATIENCE_SECONDS)
        if not sending.done():
            await put_away()
        await sending
    finally:
        sending.cancel()


class LinesAnswer(ParsedAnswer):
    """Newline-delimited JSON: the document, each page as it is done, and a summary or an error.

    The status is sent with the first line; an error before it is answered like anywhere else.
    """

    media_type = NDJSON

    def __init__(self, record: RequestRecord, backlogs: Backlogs, run: Run) -> None:
        super().__init__(record, backlogs, run)
        # Proxies must not hold lines back.
        self.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Run the job and send its lines. The job's own pace does not depend on how fast the client reads."""
        with self._backlogs.open() as backlog:
            job = asyncio.create_task(self._produce(backlog))
            try:
                lines = await backlog.get()
                if lines is None and (error := await job) is not None:
                    raise error
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                while lines is not None:
                    await send({"type": "http.response.body", "body": lines, "more_body": True})
                    lines = await backlog.get()
                if (error := await job) is not None:
                    line = self._error_line(error)
                    await send({"type": "http.response.body", "body": line, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                job.cancel()
                await asyncio.wait([job])

    async def _produce(self, backlog: Backlog) -> GatewayError | None:
        """Put all lines into the backlog; gives the error that ended them, if any."""
        log_id = orjson.dumps(self._record.log_id)

        async def write(event: DocumentEvent | PageEvent) -> None:
            if isinstance(event, PageEvent):
                await backlog.put(b'{"type":"page","index":%d,"result":%b}\n' % (event.index, event.result))
            else:
                info = orjson.dumps(event.data_info())
                await backlog.put(b'{"type":"document","logId":%b,"dataInfo":%b}\n' % (log_id, info))

        try:
            document = await self._run(write)
            info = orjson.dumps(document.data_info())
            await backlog.put(
                b'{"type":"summary","logId":%b,"errorCode":0,"errorMsg":"Success","dataInfo":%b}\n'
                % (log_id, info)
            )
        except GatewayError as error:
            return error
        except Exception:  # the boundary of a task: whoever waits for lines must hear of its end
            logger.exception("unexpected error")
            return InternalError()
        finally:
            backlog.finish()
        return None

    def _error_line(self, error: GatewayError) -> bytes:
        self._record.error_code = error.code
        body = error_body(self._record.log_id, error.http_status, error.message)
        return orjson.dumps({"type": "error", **body}, option=orjson.OPT_APPEND_NEWLINE)
