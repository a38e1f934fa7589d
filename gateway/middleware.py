"""Plain ASGI around every request: its record and log line, its key, its client's hang-up."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api_keys import ApiKeys
from gateway.errors import (
    ClientGone,
    GatewayError,
    InternalError,
    MissingApiKey,
    UnknownApiKey,
)
from gateway.models.records import RequestRecord
from gateway.observability import current_record, log_access

logger = logging.getLogger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# Before the key in the header Authorization; `token` is what PaddleOCR's own cloud and its clients say.
KEY_SCHEMES = frozenset({b"bearer", b"token"})

RenderError = Callable[[GatewayError, RequestRecord], Response]


class RecordMiddleware:
    """Outermost. Names the request, answers our own defects, and writes the summary line.

    A plain `X-Request-Id` of the request is its name in logs and answers; else we make one. Slashes too many at either
    end of the path mean nothing: PaddleX's service redirects `/layout-parsing/`, and an address that ends in a slash is
    often put before a path that begins with one.
    """

    def __init__(self, app: ASGIApp, *, render_error: RenderError) -> None:
        self._app = app
        self._render_error = render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].endswith("/") or scope["path"].startswith("//"):
            scope = {**scope, "path": "/" + scope["path"].strip("/")}
        record = _new_record(scope)
        scope.setdefault("state", {})["record"] = record
        token = current_record.set(record)
        began = time.monotonic()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                MutableHeaders(raw=message["headers"])["X-Request-Id"] = record.request_id
            elif message["type"] == "http.response.body":
                record.answer_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception:  # the boundary of a request: a defect costs this answer only
            logger.exception("unexpected error")
            if record.status is not None:
                raise
            await self._render_error(InternalError(), record)(scope, receive, send_noted)
        finally:
            if record.client_gone:
                record.status, record.error_code = ClientGone.http_status, ClientGone.code
            log_access(record, time.monotonic() - began)
            current_record.reset(token)


def _new_record(scope: Scope) -> RequestRecord:
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return RequestRecord(request_id=request_id, method=scope["method"], path=scope["path"], log_id=request_id)


class ApiKeyMiddleware:
    """Asks for a key before the body is read, on every path but the open ones.

    A method that a path does not answer is refused as such, key or not: clients probe POST paths with GET.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: ApiKeys,
        is_open: Callable[[str], bool],
        render_error: RenderError,
    ) -> None:
        self._app = app
        self._keys = keys
        self._is_open = is_open
        self._render_error = render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record: RequestRecord = scope["state"]["record"]
        error = self._check(scope, record)
        if error is None or self._is_open(scope["path"]) or _is_wrong_method(scope):
            await self._app(scope, receive, send)
        else:
            await self._render_error(error, record)(scope, receive, send)

    def _check(self, scope: Scope, record: RequestRecord) -> GatewayError | None:
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, key = header.strip().partition(b" ")
        if scheme.lower() not in KEY_SCHEMES or not key.strip():
            return MissingApiKey("An API key is needed; send it as `Authorization: Bearer KEY`.")
        record.key_name = self._keys.name_of(key.strip())
        return None if record.key_name is not None else UnknownApiKey("The API key is not known.")


def _is_wrong_method(scope: Scope) -> bool:
    """Whether the path exists, but not for this method."""
    matches = {route.matches(scope)[0] for route in scope["app"].routes}
    return Match.PARTIAL in matches and Match.FULL not in matches


class DisconnectMiddleware:
    """Cancels the request's work when the client hangs up after its body was read.

    Before that, whoever reads the body meets the hang-up there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Exchange(scope["state"]["record"], receive, send).run(
            lambda receive, send: self._app(scope, receive, send)
        )


class _Exchange:
    """One request that is watched for a hang-up."""

    def __init__(self, record: RequestRecord, receive: Receive, send: Send) -> None:
        self._record = record
        self._receive = receive
        self._send = send
        self._body_read = asyncio.Event()
        self._gone = asyncio.Event()
        self._answered = False

    async def run(self, serve: Callable[[Receive, Send], Awaitable[None]]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI server runs each request in a task
        watcher = asyncio.create_task(self._watch(task))
        try:
            await serve(self.receive, self.send)
            if self._gone.is_set():
                # The cancellation came as the work ended by itself; let it land here, not in the server.
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not self._gone.is_set() or task.uncancel() > 0:
                raise
        finally:
            watcher.cancel()

    async def _watch(self, task: asyncio.Task[None]) -> None:
        await self._body_read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # After the answer the server reports the end of the exchange in the same words.
        if not self._answered:
            self._record.client_gone = True
            self._gone.set()
            task.cancel()

    async def receive(self) -> Message:
        if self._body_read.is_set():
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._body_read.set()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._answered = True
        await self._send(message)
