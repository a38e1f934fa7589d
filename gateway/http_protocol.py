"""HTTP/1.1 on one connection: uvicorn's protocol, with what a server that faces clients needs besides.

- An offer to change the protocol (`Upgrade: h2c` of Java's HttpClient, `websocket`) is declined as HTTP wants it: the
  request is served as if the offer were not there. The parser alone would drop its body.
- What is no HTTP is answered in the shape of every other error.
- A client that wants one answer only may be sending its request still when it gets it. It is listened to then: a
  connection that is closed at once takes the answer with it.
- Heads are bounded, in bytes and in time; and so is the time for which a client takes nothing of its answer.
"""

import asyncio
import uuid
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.errors import GatewayError, HeadTooLarge, MalformedRequest, RequestTimeout
from gateway.http_offers import head_without_offer
from gateway.http_parsing import Pieces, make_parser, read_problem
from gateway.models.records import RequestRecord
from gateway.observability import log_access
from gateway.routes.errors import render_error

# Of a body that the application is reading; before it asks, uvicorn's own mark holds. A mark below what one turn of
# the loop can read (uvloop: some times 256 KB) would wake the application for each piece.
_READ_AHEAD_BYTES = 1024 * 1024
# A header costs its line more than its name and value: a colon, a space, the line's end.
_HEADER_LINE_BYTES = 4


class HttpProtocol(HttpToolsProtocol):
    """One connection. For uvicorn: `--http gateway.http_protocol:HttpProtocol`."""

    # uvicorn's other parser, h11, allows as much. Our own heads have some hundred bytes; long keys have a few thousand.
    head_bytes: ClassVar[int] = 64 * 1024
    # From the connection, or the first byte of a later request. A head is one packet; the rest is for bad networks.
    head_seconds: ClassVar[float] = 30
    # As long as a proxy (nginx) lets a client take nothing of its answer.
    stalled_seconds: ClassVar[float] = 60
    # For a client to read our last words when it sends no more; while it still sends it has as long as for a head.
    linger_seconds: ClassVar[float] = 2

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._in_head = True  # what comes next is a head, or the rest of one
        self._head_begun = False
        self._body_bytes = 0  # of the request whose body arrives
        self._declining = False  # this head offers an upgrade; its request comes once more, without
        self._refused = False  # nothing is read any more
        self._still_sending = False  # though something has come since it was last looked
        self._barren_bytes = 0  # received in a row without a head, a piece of body or an end in them
        self._head_clock: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None
        self._last_clock: asyncio.TimerHandle | None = None

    # What the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client has connected."""
        super().connection_made(transport)
        self._start_head_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        for clock in (self._head_clock, self._write_clock, self._last_clock):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of requests, cut anywhere."""
        self._unset_keepalive_if_required()
        if self._refused:
            self._still_sending = True
            return
        self._barren_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse(read_problem(error))
        else:
            if self._barren_bytes > self.head_bytes:
                self._refuse(self._too_large())
            elif self._in_head and self._head_clock is None and (self._head_begun or self._is_idle()):
                self._start_head_clock()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None

    # What the parser says

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._head_begun = True

    def on_headers_complete(self) -> None:
        """A whole head. What is raised here ends the parser's work, and is the answer."""
        self._barren_bytes = 0
        lines = (len(name) + len(value) + _HEADER_LINE_BYTES for name, value in self.headers)
        if len(self.url) + sum(lines) > self.head_bytes:
            raise self._too_large()
        if self.parser.get_method() == b"CONNECT":
            raise MalformedRequest("This service is no proxy; it does not answer the method CONNECT.")
        if self.parser.should_upgrade():
            self._declining = True
            return
        super().on_headers_complete()
        self.cycle.transport = _AnswerTransport(self, self.cycle)  # type: ignore[assignment] # all that it uses
        self.headers = []  # the request has the others; what comes behind a chunked body is none of its headers
        self._in_head = self._head_begun = False
        self._body_bytes = 0
        if self._head_clock is not None:
            self._head_clock.cancel()
            self._head_clock = None

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._barren_bytes = 0
        self._body_bytes += len(body)
        cycle = self.cycle
        if not cycle.body:
            cycle.body = Pieces()  # type: ignore[assignment] # does what uvicorn asks of it
        # Some pieces are gone from it already, so it is being read.
        if (
            len(cycle.body) + len(body) < min(self._body_bytes, _READ_AHEAD_BYTES)
            and not cycle.response_complete
        ):
            cycle.body += body
            cycle.message_event.set()
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self._declining:
            return
        self._barren_bytes = 0
        self._in_head = True
        super().on_message_complete()

    def _feed(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = memoryview(rest)[offer.args[0] :]
                self._begin_again_without_offer()
            else:
                rest = b""

    def _begin_again_without_offer(self) -> None:
        """The parser in use takes everything behind an offer for the other protocol, so another goes on."""
        head = head_without_offer(
            self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers
        )
        self._declining = False
        self.parser = make_parser(self)
        self.parser.feed_data(head)

    # What the application's side says

    def on_response_complete(self) -> None:
        """An answer was given to the transport; it may have come before the end of its request."""
        was_last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_writing()
        if not was_last or self.transport.is_closing():
            return
        # A client that waits for "100 Continue" may leave its body out now, so what follows could be anything.
        if self._refused or (not self._in_head and self.expect_100_continue):
            self._close_when_read()
        elif not self._in_head:
            # The rest of the body, and the next head, have as long as a head.
            self._start_head_clock()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked for."""
        super().timeout_keep_alive_handler()
        self._watch_writing()

    # Ends

    def close_behind_answer(self, cycle: RequestResponseCycle) -> None:
        """An answer was the last one. It may have come before the end of its request."""
        if cycle.more_body:
            self._close_when_read()
        else:
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_head_clock(self) -> None:
        if self._head_clock is None:
            self._head_clock = self.loop.call_later(self.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_clock = None
        if self._head_begun:
            self._refuse(
                RequestTimeout(
                    f"The head of the request did not arrive within {self.head_seconds:g} seconds."
                )
            )
        else:
            # Nothing was asked, so nothing is answered: some clients connect long before they need it.
            self.transport.close()
            self._watch_writing()

    def _too_large(self) -> HeadTooLarge:
        return HeadTooLarge(f"The head of the request has more than {self.head_bytes} bytes.")

    def _refuse(self, error: GatewayError) -> None:
        """Read no more; say why, unless an answer to a whole request is still owed: that one is the last then."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._in_head and self.pipeline:
            # The broken request is behind others, and nobody has seen it yet.
            self.pipeline.popleft()
        elif not self._in_head and self.cycle.response_started:
            self._close_when_read()
        elif self._in_head and not self._is_idle():
            return
        else:
            if self.cycle is not None:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._answer(error)
            self._close_when_read()

    def _answer(self, error: GatewayError) -> None:
        name = uuid.uuid4().hex
        record = RequestRecord(request_id=name, method="-", path="-", log_id=name)
        answer = render_error(error, record)
        record.status, record.answer_bytes = answer.status_code, len(answer.body)
        answer.headers["X-Request-Id"] = name
        answer.headers["Connection"] = "close"
        headers = self.server_state.default_headers + answer.raw_headers
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n", answer.body]))
        log_access(record, 0)

    def _close_when_read(self) -> None:
        """Close, but not under a client that is still sending: it would lose our answer with the connection."""
        if not self.transport.can_write_eof():
            self.transport.close()
        elif self._last_clock is None:
            self._refused = True
            self.transport.write_eof()
            self._linger(self.loop.time() + self.head_seconds)

    def _linger(self, end: float) -> None:
        self._still_sending = False
        self._last_clock = self.loop.call_later(self.linger_seconds, self._close_at_last, end)

    def _close_at_last(self, end: float) -> None:
        if self._still_sending and self.loop.time() < end:
            self._linger(end)
        else:
            self.transport.close()
            self._watch_writing()

    def _watch_writing(self, left: int | None = None) -> None:
        """See that the client takes something of what is waiting for it. Meanwhile nothing may be added to it."""
        if left is None and self._write_clock is not None:
            return
        self._write_clock = None
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting == left:
            self.transport.abort()
        elif waiting:
            self._write_clock = self.loop.call_later(self.stalled_seconds, self._watch_writing, waiting)


class _AnswerTransport:
    """The transport for one answer: what uvicorn does to it, with another way to close."""

    def __init__(self, protocol: HttpProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        self._protocol.close_behind_answer(self._cycle)
