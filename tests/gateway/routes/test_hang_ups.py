"""A client that leaves stops the work, wherever it is."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.fakes.triton import document_event, page_event
from tests.fakes.web import running_web
from tests.gateway.conftest import GOOD
from tests.gateway.waiting import eventually


@asynccontextmanager
async def client(gateway, *, accept="application/json", body=None, declared=None):
    """A request on a connection of its own; leaving the block hangs up."""
    body = json.dumps(GOOD).encode() if body is None else body
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {declared or len(body)}\r\n\r\n".encode()
    )
    writer.write(body)
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


async def never_done(received):
    yield document_event(2, "tiff")
    yield page_event(0)
    await asyncio.Event().wait()


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_hanging_up_during_inference_cancels_it(start_gateway, triton, accept):
    gateway = await start_gateway(max_concurrent_requests=1)
    good, triton.script = triton.script, never_done
    async with client(gateway, accept=accept):
        await triton.wait_for_requests(1)
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    assert triton.requests[0].cancelled
    triton.script = good
    await gateway.assert_still_good()


async def test_hanging_up_in_the_middle_of_the_lines_cancels_the_rest(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_requests=1)
    good, triton.script = triton.script, never_done
    async with client(gateway, accept="application/x-ndjson") as reader:
        await reader.readuntil(b'"type":"page"')
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    assert triton.requests[0].cancelled
    triton.script = good
    await gateway.assert_still_good()


async def test_hanging_up_in_the_line_gives_the_place_to_the_next(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_requests=1, max_queued_requests=1)
    finish = asyncio.Event()

    async def script(received):
        yield document_event()
        await finish.wait()
        yield page_event(0)

    triton.script = script
    first = asyncio.create_task(gateway.parse())
    await triton.wait_for_requests(1)
    async with client(gateway):
        await eventually(lambda: gateway.resources.admission.waiting_here == 1)
        assert (await gateway.parse()).status_code == 429
    await eventually(lambda: gateway.resources.admission.waiting_here == 0)
    third = asyncio.create_task(gateway.parse())
    await eventually(lambda: gateway.resources.admission.waiting_here == 1)
    finish.set()
    assert (await first).status_code == (await third).status_code == 200
    assert len(triton.requests) == 2


async def test_hanging_up_in_the_middle_of_the_body_costs_nothing(gateway, triton):
    for part in (b"", b'{"file": "AAAA'):
        async with client(gateway, body=part, declared=100_000):
            pass
    await gateway.assert_still_good()
    assert len(triton.requests) == 1


async def test_hanging_up_during_a_download_ends_it(start_gateway, triton):
    gateway = await start_gateway(url_allowed_networks=("127.0.0.1/32",))
    gone = asyncio.Event()
    async with running_web() as web:

        async def hang(request):
            try:
                await web.forever.wait()
            finally:
                gone.set()

        web.pages["/slow"] = hang
        async with client(gateway, body=json.dumps({"file": web.at("/slow")}).encode()):
            await eventually(lambda: bool(web.visits))
        async with asyncio.timeout(5):
            await gone.wait()
    assert not triton.requests
    await gateway.assert_still_good()
