"""Requests answered before their bodies have come: who sends one hears why, but is not listened to for ever."""

import asyncio

import pytest

from gateway.http_protocol import HttpProtocol
from tests.gateway.conftest import serving
from tests.gateway.raw import connected, post


async def test_a_body_that_nobody_wants_is_not_read_for_ever(hasty):
    async with connected(hasty) as client:
        client.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert (await client.answer())[0] == 405
        assert await client.end() == b""


async def test_a_body_that_was_not_asked_for_ends_the_connection(hasty):
    """Whether it will still come is for the client to choose, so what comes next could be either."""
    async with connected(hasty) as client:
        client.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.answer())[0] == 405
        client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await client.end() == b""


LARGE = b"x" * 30_000_000
LAST_REQUESTS = {
    "HTTP/1.1 that closes": ("1.1", "Connection: close\r\n"),
    "HTTP/1.0": ("1.0", ""),
    "HTTP/1.0 by nginx": ("1.0", "Connection: close\r\n"),
}


@pytest.mark.parametrize("name", LAST_REQUESTS)
@pytest.mark.parametrize("path", ["/layout-parsing", "/no-such-path"])
async def test_who_closes_behind_its_request_learns_why_its_body_was_not_wanted(start_gateway, name, path):
    gateway = await start_gateway(max_body_bytes=1_000_000, max_document_bytes=1_000_000)
    version, header = LAST_REQUESTS[name]
    async with connected(gateway.url) as client:
        client.send(post(LARGE, header, path=path).replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1))
        await client.writer.drain()  # all of it is sent before the answer is looked at
        if path == "/layout-parsing":
            await client.error(413, "1000000 bytes")
        else:
            await client.error(404)
        assert await client.end() == b""
    await gateway.assert_still_good()


async def trickle(client, count):
    for _ in range(count):
        client.send("x")
        await client.writer.drain()
        await asyncio.sleep(0.01)


async def test_it_is_not_listened_to_for_ever(hasty):
    """Who goes on sending has as long as a head may take; who stops is let go soon."""
    async with connected(hasty) as client:
        client.send("POST /health HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\n")
        assert (await client.answer())[0] == 405
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(trickle(client, 1000), 20)


async def test_who_goes_on_sending_is_listened_to_for_longer(gateway):
    class Patient(HttpProtocol):
        linger_seconds = 0.2

    async with serving(gateway.app, Patient) as url, connected(url) as client:
        client.send("POST /health HTTP/1.0\r\nContent-Length: 1000000000\r\n\r\n")
        await trickle(client, 60)
        assert (await client.answer())[0] == 405
