"""Offers to upgrade, heads that are too long or too slow, and what is no HTTP: on real connections."""

import asyncio
import json

import pytest
from starlette.responses import Response, StreamingResponse

from tests.gateway.conftest import GOOD, Hasty, serving
from tests.gateway.raw import connected, post
from tests.gateway.waiting import eventually

H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
WEBSOCKET = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
)


def chunked(body: bytes, *headers: str) -> bytes:
    head = f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\n{''.join(headers)}Transfer-Encoding: chunked\r\n\r\n"
    pieces = [body[start : start + 50] for start in range(0, len(body), 50)]
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


DOCUMENT = json.dumps(GOOD).encode()


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET])
@pytest.mark.parametrize("write", [post, chunked])
async def test_an_offer_to_upgrade_is_declined_and_its_request_served(gateway, triton, offer, write):
    async with connected(gateway.url) as client:
        for _ in range(2):
            client.send(write(DOCUMENT, offer))
            status, headers, body = await client.answer()
            assert (status, json.loads(body)["errorCode"]) == (200, 0)
            assert "upgrade" not in headers
        client.send(f"GET /health HTTP/1.1\r\nHost: x\r\n{offer}\r\n")
        assert (await client.answer())[0] == 200
        client.send(write(DOCUMENT))
        assert (await client.answer())[0] == 200
    assert len(triton.requests) == 3


async def test_a_body_that_waits_to_be_asked_for_is_asked_for_in_spite_of_the_offer(gateway):
    head, body = post(DOCUMENT, H2C, "Expect: 100-continue\r\n").split(b"\r\n\r\n")
    async with connected(gateway.url) as client:
        client.send(head, "\r\n\r\n")
        assert (await client.answer())[0] == 100
        client.send(body)
        assert (await client.answer())[0] == 200


async def test_who_offers_http_1_0_and_an_upgrade_is_served(gateway):
    async with connected(gateway.url) as client:
        client.send(
            post(DOCUMENT, "Connection: upgrade\r\nUpgrade: h2c\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
        )
        assert (await client.answer())[0] == 200
        assert await client.end() == b""


NO_HTTP = {
    "no HTTP": ("hello\r\n\r\n", "HTTP/1.1"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/1.1"),
    "HTTP/2 from the start": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1"),
    "a broken header": ("GET /health HTTP/1.1\r\nbad header\r\n\r\n", "header"),
    "two lengths": (
        "POST /layout-parsing HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "ength",
    ),
    "two framings": (
        "POST /layout-parsing HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Content-Length",
    ),
    "two framings and an offer": (
        f"POST /layout-parsing HTTP/1.1\r\n{H2C}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Content-Length",
    ),
    "a broken chunk": (
        "POST /layout-parsing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "chunk",
    ),
    "a broken chunk behind an offer": (
        f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\n{H2C}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "chunk",
    ),
    "no address": ("GET \xff HTTP/1.1\r\n\r\n", "HTTP/1.1"),
    "an address that does not parse": ("GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n", "address"),
    "a proxy's work": ("CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", "proxy"),
}


@pytest.mark.parametrize("name", NO_HTTP)
@pytest.mark.parametrize("behind_a_good_one", [False, True])
async def test_what_is_no_http_is_answered_in_the_shape_of_all_errors(gateway, name, behind_a_good_one):
    sent, word = NO_HTTP[name]
    async with connected(gateway.url) as client:
        if behind_a_good_one:
            client.send(post(DOCUMENT))
            assert (await client.answer())[0] == 200
        client.send(sent)
        await client.error(400, word)
        assert await client.end() == b""
    await gateway.assert_still_good()


async def test_an_answer_that_is_owed_comes_before_the_end_of_a_broken_connection(gateway, triton):
    """What is behind a good request in the same packet may not cost its answer."""
    for rest in (b"rubbish\r\n\r\n", post(DOCUMENT) + b"rubbish\r\n\r\n"):
        async with connected(gateway.url) as client:
            client.send(post(DOCUMENT) + rest)
            for _ in range(1 + rest.count(b"POST")):
                assert (await client.answer())[0] == 200
            assert await client.end() == b""
    async with connected(gateway.url) as client:
        broken = b"POST /layout-parsing HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        client.send(post(DOCUMENT) + broken)
        assert (await client.answer())[0] == 200
        assert await client.end() == b""
    assert len(triton.requests) == 4


HEADS = {
    "one long header": ["GET /health HTTP/1.1\r\n", "X: ", *(["a" * 1000] * 70), "\r\n\r\n"],
    "many headers": ["GET /health HTTP/1.1\r\n", *(["X: " + "a" * 60 + "\r\n"] * 1100), "\r\n"],
    "a long address": ["GET /", *(["a" * 1000] * 70), " HTTP/1.1\r\n\r\n"],
    "one without end": ["GET /health HTTP/1.1\r\nX: ", *(["a" * 1000] * 70)],
    "trailers without end": [
        "POST /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        *(["X: " + "a" * 60 + "\r\n"] * 8000),
    ],
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("segments", ["one", "many"])
async def test_a_head_has_a_limit(gateway, name, segments):
    parts = HEADS[name] if segments == "many" else ["".join(HEADS[name])]
    async with connected(gateway.url) as client:
        for part in parts:
            client.send(part)
            await asyncio.sleep(0)
        if name == "trailers without end":
            assert (await client.answer())[0] == 405  # said before they came
        else:
            await client.error(431, "65536 bytes")
        assert await client.end() == b""
    await gateway.assert_still_good()


async def test_a_head_below_the_limit_is_served(gateway):
    async with connected(gateway.url) as client:
        client.send(f"GET /health HTTP/1.1\r\nHost: x\r\nX: {'a' * 65_000}\r\n\r\n")
        assert (await client.answer())[0] == 200


async def test_a_head_must_arrive_in_time(hasty, gateway):
    async with connected(hasty) as client:
        client.send("GET /health HTTP/1.1\r\nX: ")
        await client.error(408, "0.3 seconds")
        assert await client.end() == b""
    await gateway.assert_still_good()


async def test_the_clock_of_a_later_head_begins_with_its_first_byte(hasty):
    async with connected(hasty) as client:
        for _ in range(2):
            client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await client.answer())[0] == 200
            await asyncio.sleep(2 * Hasty.head_seconds)  # idle between requests, longer than a head may take
        client.send("G")
        await client.error(408)
        assert await client.end() == b""


@pytest.mark.parametrize("blank", ["", "\r\n"])
async def test_who_connects_and_asks_for_nothing_is_let_go_without_a_word(hasty, blank):
    async with connected(hasty) as client:
        client.send(blank)
        assert await client.end() == b""
    async with connected(hasty) as client:
        client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.answer())[0] == 200
        if blank:
            client.send(blank)
            assert await client.end() == b""


async def test_work_on_a_document_does_not_count_as_a_slow_head(hasty, triton):
    async def script(received, one_page=triton.script):
        await asyncio.sleep(2 * Hasty.head_seconds)
        async for event in one_page(received):
            yield event

    triton.script = script
    async with connected(hasty) as client:
        client.send(post(DOCUMENT), "GE")
        assert (await client.answer())[0] == 200
        assert await client.end() == b""  # the late head behind it


@pytest.mark.parametrize("sizes", [[1_000_000] * 1000, [30_000_000]])
async def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(gateway, sizes):
    lost = asyncio.Event()

    class Watched(Hasty):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            lost.set()

    async def pieces():
        for size in sizes:
            yield b"x" * size

    async def flood(request):
        return StreamingResponse(pieces())

    gateway.app.router.add_route("/flood", flood)
    async with serving(gateway.app, Watched) as url, connected(url) as client:
        client.writer.transport.pause_reading()
        client.send("GET /flood HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(10):
            await lost.wait()


async def test_a_client_that_reads_slowly_gets_everything(gateway):
    size = 30_000_000

    async def large(request):
        return Response(b"x" * size)

    gateway.app.router.add_route("/large", large)
    async with serving(gateway.app, Hasty) as url, connected(url) as client:
        client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await client.reader.readuntil(b"\r\n\r\n")
        got = 0
        for _ in range(8):
            got += len(await client.reader.readexactly(2_500_000))
            await asyncio.sleep(Hasty.stalled_seconds / 2)
        assert got + len(await client.end()) == size


async def test_a_refusal_is_one_line_of_the_log(gateway, caplog):
    caplog.set_level("INFO", logger="gateway.access")
    async with connected(gateway.url) as client:
        client.send("rubbish\r\n\r\n")
        await client.error(400)
    await eventually(lambda: bool(caplog.records))
    (line,) = (record.fields for record in caplog.records if record.name == "gateway.access")
    assert (line["status"], line["error"], line["path"]) == (400, "malformed_request", "-")
