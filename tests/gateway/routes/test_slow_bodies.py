"""Bodies that stop, that drip, and that are too many at once: on real sockets."""

import asyncio
import base64
import json

import pytest
from aiohttp.web import StreamResponse

from tests.fakes.triton import document_event, page_event
from tests.fakes.web import running_web
from tests.gateway.conftest import GOOD, PNG, assert_error
from tests.gateway.raw import connected
from tests.gateway.waiting import eventually

KIB = 1024
SECONDS = 0.4

JSON_TYPE = "application/json"
FORM_TYPE = "multipart/form-data; boundary=b"
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--b--\r\n"
)


def head(length: int | None, path: str = "/layout-parsing", content_type: str = JSON_TYPE) -> str:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n"


@pytest.fixture
async def hasty(start_gateway):
    return await start_gateway(body_timeout_seconds=SECONDS)


@pytest.mark.parametrize("path", ["/layout-parsing", "/restructure-pages"])
@pytest.mark.parametrize("sent", ["", '{"file": "AAAA'])
async def test_a_body_that_stops_is_408_and_its_connection_is_closed(hasty, path, sent):
    async with connected(hasty.url) as client:
        client.send(head(1000, path), sent)
        await client.error(408, "0.4 seconds", "HPS_BODY_TIMEOUT")
        assert await client.end() == b""
    await hasty.assert_still_good()


async def test_a_form_and_a_chunked_body_that_stop_are_408(hasty):
    async with connected(hasty.url) as client:
        client.send(head(len(FORM), content_type=FORM_TYPE), FORM[:-20])
        await client.error(408)
    async with connected(hasty.url) as client:
        client.send(head(None), "5\r\n12345\r\n")
        await client.error(408)


async def test_a_body_that_drips_is_408_though_it_never_stops_for_long(hasty):
    async with connected(hasty.url) as client:
        client.send(head(1000))

        async def drip():
            while True:
                client.send(" ")
                await asyncio.sleep(SECONDS / 20)

        dripping = asyncio.create_task(drip())
        await client.error(408)
        dripping.cancel()


async def test_a_slow_body_that_comes_steadily_is_served(hasty):
    body = json.dumps(GOOD).encode().ljust(80 * KIB)
    async with connected(hasty.url) as client:
        client.send(head(len(body)))
        for start in range(0, len(body), 4 * KIB):  # longer in all than a pause may be
            client.send(body[start : start + 4 * KIB])
            await asyncio.sleep(SECONDS / 10)
        assert (await client.answer())[0] == 200


async def test_work_after_the_body_is_not_on_its_clock(hasty, triton):
    async def script(received):
        yield document_event()
        await asyncio.sleep(2 * SECONDS)
        yield page_event(0)

    triton.script = script
    assert (await hasty.parse()).status_code == 200


LIMITS = {
    "max_body_bytes": 64 * KIB,
    "max_document_bytes": 64 * KIB,
    "max_body_bytes_in_flight": 128 * KIB,
}


@pytest.fixture
def held(triton):
    """Triton says nothing before it is told to; so documents stay on our side as far as we know."""
    go_on = asyncio.Event()

    async def script(received):
        await go_on.wait()
        yield document_event()
        yield page_event(0)

    triton.script = script
    return go_on


def large(number: int = 0) -> dict[str, str]:
    """A document of 45 KB, in a body of 60 KB."""
    return {"file": base64.b64encode(PNG + bytes(45_000)).decode(), "logId": f"{number}"}


async def test_what_does_not_fit_beside_other_bodies_is_sent_away_before_it_is_read(
    start_gateway, triton, held
):
    gateway = await start_gateway(**LIMITS, body_timeout_seconds=SECONDS)
    running = [asyncio.create_task(gateway.parse(large(number))) for number in range(2)]
    await triton.wait_for_requests(2)
    answer = await gateway.parse(large())
    assert_error(answer, 429, "try again later")
    assert int(answer.headers["Retry-After"]) >= 1
    assert_error(
        await gateway.http.post("/restructure-pages", json={"pages": [], "logId": "1" * 60_000}), 429
    )
    # A small one has room of its own.
    small = asyncio.create_task(gateway.parse())
    await triton.wait_for_requests(3)
    held.set()
    assert {(await each).status_code for each in [*running, small]} == {200}
    assert (await gateway.parse(large())).status_code == 200


async def test_bodies_that_come_at_once_are_served_in_turn(start_gateway, triton):
    gateway = await start_gateway(**LIMITS)
    answers = await asyncio.gather(*(gateway.parse(large(number)) for number in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(triton.requests) == 12


async def test_room_is_free_again_as_soon_as_triton_has_the_document(start_gateway, triton):
    gateway = await start_gateway(**LIMITS, body_timeout_seconds=SECONDS)
    finish = asyncio.Event()

    async def script(received):
        yield document_event()
        await finish.wait()
        yield page_event(0)

    triton.script = script
    running = [asyncio.create_task(gateway.parse(large(number))) for number in range(8)]
    await triton.wait_for_requests(8)
    finish.set()
    assert {(await each).status_code for each in running} == {200}


async def test_the_wait_for_room_is_not_on_the_clock_of_the_body(start_gateway, triton, held):
    gateway = await start_gateway(**LIMITS, body_timeout_seconds=2 * SECONDS)
    running = [asyncio.create_task(gateway.parse(large(number))) for number in range(2)]
    await triton.wait_for_requests(2)
    body = json.dumps(large()).encode()
    async with connected(gateway.url) as client:
        client.send(head(len(body)))
        await asyncio.sleep(1.2 * SECONDS)
        held.set()
        await asyncio.gather(*running)
        await asyncio.sleep(1.2 * SECONDS)
        client.send(body)
        assert (await client.answer())[0] == 200


async def test_a_body_of_unknown_length_finds_room_as_it_comes(start_gateway, triton, held):
    gateway = await start_gateway(**LIMITS, body_timeout_seconds=SECONDS)
    running = [asyncio.create_task(gateway.parse(large(number))) for number in range(2)]
    await triton.wait_for_requests(2)

    async def chunks():
        yield json.dumps(large()).encode()

    answer = await gateway.http.post("/layout-parsing", content=chunks(), headers={"Content-Type": JSON_TYPE})
    assert_error(answer, 429, "try again later")
    held.set()
    await asyncio.gather(*running)
    answer = await gateway.http.post("/layout-parsing", content=chunks(), headers={"Content-Type": JSON_TYPE})
    assert answer.status_code == 200


@pytest.mark.parametrize("length", ["told", "not told"])
async def test_a_document_that_is_fetched_needs_room_too(start_gateway, triton, held, length):
    gateway = await start_gateway(
        **LIMITS, body_timeout_seconds=SECONDS, url_allowed_networks=("127.0.0.1/32",)
    )
    async with running_web() as web:
        web.serve("/page.png", PNG + bytes(45_000))
        if length == "not told":

            async def stream(request):
                answer = StreamResponse()
                await answer.prepare(request)
                await answer.write(PNG + bytes(45_000))
                return answer

            web.pages["/page.png"] = stream
        running = [asyncio.create_task(gateway.parse(large(number))) for number in range(2)]
        await triton.wait_for_requests(2)
        assert_error(await gateway.parse({"file": web.at("/page.png")}), 429, "try again later")
        held.set()
        await asyncio.gather(*running)
        assert (await gateway.parse({"file": web.at("/page.png")})).status_code == 200


async def test_who_hangs_up_gives_its_room_back(start_gateway, triton, held):
    gateway = await start_gateway(**LIMITS, body_timeout_seconds=20)
    body = json.dumps(large()).encode()
    for sent in (b"", body[:5000], body):
        for _ in range(3):
            async with connected(gateway.url) as client:
                client.send(head(len(body)), sent)
                await client.writer.drain()
    held.set()
    await eventually(lambda: triton.running == 0)
    assert (await gateway.parse(large())).status_code == 200
