"""POST /restructure-pages: a Triton that fails, clocks that run out, clients that leave, places that are taken."""

import asyncio
import json
from contextlib import asynccontextmanager

from tests.fakes.triton import result_message
from tests.gateway.conftest import assert_error
from tests.gateway.pages import GOOD, PATH, restructure
from tests.gateway.waiting import eventually


async def never_done(received):
    await asyncio.Event().wait()
    return b""


async def test_a_triton_that_is_not_up_is_503_and_is_found_again(gateway, triton):
    await triton.stop()
    assert_error(await restructure(gateway), 503, "Triton")
    await triton.start()
    assert (await restructure(gateway)).status_code == 200


async def test_a_triton_that_dies_at_work_is_503(gateway, triton):
    triton.restructure_script = never_done
    running = asyncio.create_task(restructure(gateway))
    await triton.wait_for_restructure_requests(1)
    await triton.stop()
    assert_error(await running, 503, "Triton")


async def test_work_that_takes_too_long_is_504_and_cancelled(start_gateway, triton):
    gateway = await start_gateway(inference_timeout_seconds=0.3)
    triton.restructure_script = never_done
    assert_error(await restructure(gateway), 504, "0.3 seconds")
    async with asyncio.timeout(5):
        await triton.restructure_requests[0].ended.wait()


async def test_hanging_up_cancels_the_work(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_non_inference_requests=1)
    triton.restructure_script = never_done
    body = json.dumps(GOOD).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await triton.wait_for_restructure_requests(1)
    writer.close()
    async with asyncio.timeout(5):
        await triton.restructure_requests[0].ended.wait()
    assert triton.restructure_requests[0].cancelled


@asynccontextmanager
async def occupied(gateway, triton, count):
    """`count` requests at work until the block is left."""
    finish = asyncio.Event()

    async def script(received):
        await finish.wait()
        return result_message()

    triton.restructure_script = script
    tasks = [asyncio.create_task(restructure(gateway)) for _ in range(count)]
    await triton.wait_for_restructure_requests(count)
    yield
    finish.set()
    assert {(await task).status_code for task in tasks} == {200}


async def test_pages_have_places_of_their_own(start_gateway, triton):
    gateway = await start_gateway(
        max_concurrent_requests=1, max_concurrent_non_inference_requests=2, max_queued_requests=0
    )
    async with occupied(gateway, triton, 2):
        answer = await restructure(gateway)
        assert_error(answer, 429, "limit")
        assert int(answer.headers["Retry-After"]) >= 1
        await gateway.assert_still_good()
    async with gateway.resources.admission.place():
        assert (await gateway.parse()).status_code == 429
        assert (await restructure(gateway)).status_code == 200


async def test_what_finds_no_place_waits_for_one(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_non_inference_requests=1)
    async with occupied(gateway, triton, 1):
        waiting = asyncio.create_task(restructure(gateway))
        await eventually(lambda: gateway.resources.restructuring_admission.waiting_here == 1)
    assert (await waiting).status_code == 200
    assert triton.most_running == 1


async def test_draining_refuses_new_pages_and_lets_the_running_finish(start_gateway, triton):
    gateway = await start_gateway(shutdown_grace_seconds=20)
    async with occupied(gateway, triton, 1):
        gateway.resources.begin_drain()
        assert_error(await restructure(gateway), 503, "shutting down")
