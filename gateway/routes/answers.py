"""The two forms of an answer: one JSON object, or lines as pages get done. What models say stays bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError, InternalError
from gateway.models.events import DocumentEvent, PageEvent
from gateway.models.records import RequestRecord
from gateway.routes.errors import error_body
from gateway.services.parsing import ParsedDocument, Sink

logger = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"


class JsonAnswer(Response):
    """The whole answer, sent in pieces so that it is never joined in memory."""

    media_type = "application/json"

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        super().__init__(headers={"Content-Length": str(sum(map(len, self._pieces)))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the pieces, each freed when it is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        self._pieces.reverse()
        while self._pieces:
            piece = self._pieces.pop()
            await send({"type": "http.response.body", "body": piece, "more_body": bool(self._pieces)})


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

    def __init__(self, record: RequestRecord, run: Callable[[Sink], Awaitable[DocumentEvent]]) -> None:
        # Proxies must not hold lines back.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["Content-Length"]
        self._record = record
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Run the job and send its lines. The job's own pace does not depend on how fast the client reads."""
        lines: asyncio.Queue[bytes | GatewayError | None] = asyncio.Queue()
        job = asyncio.create_task(self._produce(lines))
        try:
            line = await lines.get()
            if isinstance(line, GatewayError):
                raise line
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while line is not None:
                if isinstance(line, GatewayError):
                    line = self._error_line(line)
                await send({"type": "http.response.body", "body": line, "more_body": True})
                line = await lines.get()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            job.cancel()
            await asyncio.wait([job])

    async def _produce(self, lines: "asyncio.Queue[bytes | GatewayError | None]") -> None:
        log_id = orjson.dumps(self._record.log_id)

        def write(event: DocumentEvent | PageEvent) -> None:
            if isinstance(event, PageEvent):
                lines.put_nowait(b'{"type":"page","index":%d,"result":%b}\n' % (event.index, event.result))
            else:
                info = orjson.dumps(event.data_info())
                lines.put_nowait(b'{"type":"document","logId":%b,"dataInfo":%b}\n' % (log_id, info))

        try:
            document = await self._run(write)
            info = orjson.dumps(document.data_info())
            lines.put_nowait(
                b'{"type":"summary","logId":%b,"errorCode":0,"errorMsg":"Success","dataInfo":%b}\n'
                % (log_id, info)
            )
        except GatewayError as error:
            lines.put_nowait(error)
        except Exception:  # the boundary of a task: whoever waits for lines must hear of its end
            logger.exception("unexpected error")
            lines.put_nowait(InternalError())
        lines.put_nowait(None)

    def _error_line(self, error: GatewayError) -> bytes:
        self._record.error_code = error.code
        body = error_body(self._record.log_id, error.http_status, error.message)
        return orjson.dumps({"type": "error", **body}, option=orjson.OPT_APPEND_NEWLINE)
