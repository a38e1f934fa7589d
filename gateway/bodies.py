"""Plain ASGI around every request: the limits of its body, in bytes, in time, and together with other bodies."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import PayloadTooLarge, RequestTimeout
from gateway.models.records import RequestRecord
from gateway.services.room import Lease, Room

# Slower on the whole, and a body counts as stalled though a byte comes now and then: it holds room that others need.
# A modem of the nineties was as fast.
SLOWEST_BYTES_PER_SECOND = 4096


class BodyMiddleware:
    """Sees that a body arrives within the limits.

    A refusal is raised where the body is asked for, so the route's handler renders it like any other error. A body
    over the limit is refused by its Content-Length before a byte is read, else while it arrives. The request's lease
    on the worker's room is at `request.state.lease`; what is left of it ends with the request.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, room: Room, stalled_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._room = room
        self._stalled_seconds = stalled_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lease = scope["state"]["lease"] = Lease(self._room)
        body = _Body(
            scope["state"]["record"],
            receive,
            lease,
            declared=_declared(scope),
            most=self._max_bytes,
            stalled_seconds=self._stalled_seconds,
        )
        try:
            await self._app(scope, body.receive, send)
        finally:
            lease.release()


def _declared(scope: Scope) -> int:
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(text) if text.isdigit() else 0


class _Body:
    """One body on its way in."""

    def __init__(
        self,
        record: RequestRecord,
        receive: Receive,
        lease: Lease,
        *,
        declared: int,
        most: int,
        stalled_seconds: float,
    ) -> None:
        self._record = record
        self._receive = receive
        self._lease = lease
        self._declared = declared
        self._most = most
        self._stalled_seconds = stalled_seconds
        self._waited_seconds = 0.0
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        if self._declared > self._most:
            raise self._too_large()
        await self._lease.grow_to(self._declared)
        message = await self._next()
        self._complete = not message.get("more_body", False)
        if message["type"] == "http.request":
            self._record.body_bytes += len(message.get("body", b""))
            if self._record.body_bytes > self._most:
                raise self._too_large()
            await self._lease.grow_to_hold(self._record.body_bytes, self._most)
        return message

    async def _next(self) -> Message:
        clock = asyncio.get_running_loop().time
        began = clock()
        earned = self._record.body_bytes / SLOWEST_BYTES_PER_SECOND
        left = min(self._stalled_seconds, self._stalled_seconds + earned - self._waited_seconds)
        try:
            async with asyncio.timeout(left) as timeout:
                return await self._receive()
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise RequestTimeout(
                f"The request's body stopped arriving: it made no progress for {self._stalled_seconds:g} seconds "
                "(HPS_BODY_TIMEOUT)."
            ) from error
        finally:
            self._waited_seconds += clock() - began

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The request's body has more than {self._most} bytes (HPS_MAX_BODY_BYTES).")
