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
from gateway.services.parsing import ParsedDocument, Sink

logger = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"
# A client that has not taken a piece by then is slow: the rest of its answer need not wait in memory.
PATIENCE_SECONDS = 1.0
# A smaller answer is sent at once: sockets hold as much, and each piece would cost a call of the system.
ONE_PIECE_BYTES = 64 * 1024


class JsonAnswer(Response):
    """The whole answer, sent in pieces so that it is never joined in memory."""

    media_type = "application/json"

    def __init__(self, pieces: list[bytes], backlogs: Backlogs) -> None:
        self._pieces = pieces
        self._backlogs = backlogs
        super().__init__(headers={"Content-Length": str(sum(map(len, self._pieces)))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the pieces, each freed when it is gone. What a slow client has not taken in time waits on disk."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if int(self.headers["Content-Length"]) <= ONE_PIECE_BYTES:
            body = b"".join(self._pieces)
            await send({"type": "http.response.body", "body": body, "more_body": False})
            return
        self._pieces.reverse()
        with self._backlogs.open() as backlog:
            while self._pieces:
                await self._send_piece(send, backlog)
            backlog.finish()
            while (piece := await backlog.get()) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_piece(self, send: Send, backlog: Backlog) -> None:
        message = {"type": "http.response.body", "body": self._pieces.pop(), "more_body": True}
        sending = asyncio.ensure_future(send(message))
        try:
            await asyncio.wait({sending}, timeout=PATIENCE_SECONDS)
            if not sending.done():
                await self._put_away(backlog)
            await sending
        finally:
            sending.cancel()

    async def _put_away(self, backlog: Backlog) -> None:
        with suppress(ReaderTooSlow):  # it stays in memory then
            while self._pieces:
                await backlog.put_on_disk(self._pieces[-1])
                self._pieces.pop()


def document_pieces(log_id: str, parsed: ParsedDocument) -> list[bytes]:
    """The JSON of a parsed document."""
    pieces = [b'{"logId":' + orjson.dumps(log_id) + b',"result":{"layoutParsingResults":[']
    for number, page in enumerate(parsed.pages):
        if number:
            pieces.append(b",")
        pieces.append(page)
    info = orjson.dumps(parsed.document.data_info())
    pieces.append(b'],"dataInfo":' + info + b'},"errorCode":0,"errorMsg":"Success"}')
    return pieces


def result_pieces(log_id: str, result: bytes) -> list[bytes]:
    """The JSON around a result that is finished JSON itself."""
    return [
        b'{"logId":' + orjson.dumps(log_id) + b',"result":',
        result,
        b',"errorCode":0,"errorMsg":"Success"}',
    ]


class LinesAnswer(Response):
    """Newline-delimited JSON: the document, each page as it is done, and a summary or an error.

    The status is sent with the first line; an error before it is answered like anywhere else.
    """

    media_type = NDJSON

    def __init__(
        self,
        record: RequestRecord,
        backlogs: Backlogs,
        run: Callable[[Sink], Awaitable[DocumentEvent]],
    ) -> None:
        # Proxies must not hold lines back.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["Content-Length"]
        self._record = record
        self._backlogs = backlogs
        self._run = run

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
