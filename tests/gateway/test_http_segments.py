"""Whatever offers a stream of requests carries and however it is cut, the application sees the same requests."""

import asyncio
import hashlib
import itertools
import json
import socket
from dataclasses import dataclass

import httptools
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from gateway.http_offers import head_without_offer
from gateway.http_protocol import HttpProtocol

OFFERS = {
    None: "",
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "h2c, kept alive": "Upgrade: h2c\r\nConnection: keep-alive , upgrade\r\n",
    "in two headers": "Connection: keep-alive\r\nConnection: UPGRADE\r\nUpgrade: foo/2\r\n",
    "websocket": "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n",
    "not an offer": "Upgrade: h2c\r\n",
    "neither": "Connection: upgrade\r\n",
}


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    offer: str | None
    expect: bool
    chunks: tuple[bytes, ...] | None  # None: with Content-Length
    body: bytes

    def to_bytes(self) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: x\r\nX-Mine: a,  b\r\n{OFFERS[self.offer]}"
        if self.expect:
            head += "Expect: 100-continue\r\n"
        if self.chunks is not None:
            pieces = [b"%x\r\n%b\r\n" % (len(each), each) for each in self.chunks]
            return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(pieces) + b"0\r\n\r\n"
        if self.body:
            head += f"Content-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body

    def seen(self) -> dict[str, str]:
        body = self.body if self.chunks is None else b"".join(self.chunks)
        return {
            "method": self.method,
            "path": self.path,
            "mine": "a,  b",
            "body": hashlib.sha256(body).hexdigest(),
        }


# A body may look like a request, or like an offer: nobody may take it for one.
BODIES = st.one_of(
    st.binary(max_size=300),
    st.just(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"),
    st.integers(60_000, 140_000).map(lambda size: b"0123456789" * (size // 10)),
)
REQUESTS = st.builds(
    Sent,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(["/", "/layout-parsing", "/a?b=c%20d"]),
    offer=st.sampled_from(list(OFFERS)),
    expect=st.booleans(),
    chunks=st.none() | st.lists(BODIES.filter(bool), max_size=3).map(tuple),
    body=BODIES,
)


async def echo(scope, receive, send):
    body = hashlib.sha256()
    while True:
        message = await receive()
        body.update(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message["more_body"]:
            break
    names = {name for name, _ in scope["headers"]}
    assert not {b"http2-settings"} & names
    query = scope["query_string"].decode()
    seen = {
        "method": scope["method"],
        "path": scope["raw_path"].decode() + (f"?{query}" if query else ""),
        "mine": dict(scope["headers"])[b"x-mine"].decode(),
        "body": body.hexdigest(),
    }
    content = json.dumps(seen).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class Counting(HttpProtocol):
    received = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)


class Answers:
    """What came back, message by message; `100 Continue` is left out."""

    def __init__(self) -> None:
        self.all: list[dict[str, str]] = []
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() != 100:
            self.all.append(json.loads(self._body))
        self._body = b""


async def exchange(segments: list[bytes], expected: int) -> list[dict[str, str]]:
    """Send the segments so that each arrives by itself, as far as the server wants to read."""
    loop = asyncio.get_running_loop()
    config = uvicorn.Config(echo, log_config=None, access_log=False, lifespan="off", ws="none")
    config.load()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    protocol = Counting(config=config, server_state=ServerState(), app_state={})
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, theirs)
    answers = Answers()

    async def read() -> None:
        while len(answers.all) < expected:
            data = await loop.sock_recv(ours, 65536)
            assert data, "closed before the last answer"
            answers.feed(data)

    reading = asyncio.create_task(read())
    total = 0
    for segment in segments:
        await loop.sock_sendall(ours, segment)
        total += len(segment)
        while protocol.received < total and not protocol.flow.read_paused and not reading.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await reading
    transport.abort()
    ours.close()
    return answers.all


@settings(deadline=None, max_examples=150)
@given(
    st.lists(REQUESTS, min_size=1, max_size=5), st.lists(st.integers(0, 1 << 20), max_size=12), st.booleans()
)
def test_offers_and_segments_change_nothing(requests, cuts, in_the_heads):
    stream = b"".join(each.to_bytes() for each in requests)
    span = min(len(stream), 700) if in_the_heads else len(stream)
    places = sorted({cut % (span + 1) for cut in cuts} | {0, len(stream)})
    segments = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert asyncio.run(exchange(segments, len(requests))) == [each.seen() for each in requests]


def test_every_place_to_cut_a_head_and_its_body():
    first = Sent("POST", "/", "h2c", True, None, b"body")
    stream = (
        first.to_bytes() + Sent("POST", "/a?b=c%20d", "websocket", False, (b"some", b"more"), b"").to_bytes()
    )

    async def cut_everywhere() -> None:
        for place in range(1, len(stream)):
            got = await exchange([stream[:place], stream[place:]], 2)
            assert [each["method"] for each in got] == ["POST", "POST"]
            assert got[0] == first.seen()
        bytewise = [stream[place : place + 1] for place in range(len(stream))]
        assert (await exchange(bytewise, 2))[0] == first.seen()

    asyncio.run(cut_everywhere())


def test_what_comes_behind_a_chunked_body_is_none_of_its_headers():
    sent = Sent("POST", "/", "h2c", False, (b"body",), b"")
    head = sent.to_bytes().removesuffix(b"\r\n")
    assert asyncio.run(exchange([head + b"X-Mine: forged\r\n\r\n"], 1)) == [sent.seen()]


def test_a_head_without_its_offer_keeps_all_else():
    headers = [
        (b"host", b"x"),
        (b"connection", b"Upgrade, keep-alive,HTTP2-Settings , X-Hop"),
        (b"upgrade", b"h2c"),
        (b"http2-settings", b"AA"),
        (b"connection", b"upgrade"),
        (b"cookie", b"upgrade=1"),
    ]
    assert head_without_offer(b"GET", b"/a?b", "1.0", headers) == (
        b"GET /a?b HTTP/1.0\r\nhost: x\r\nconnection: keep-alive, X-Hop\r\ncookie: upgrade=1\r\n\r\n"
    )
