import asyncio

from tests.fakes.triton import document_event, page_event
from tests.gateway.conftest import assert_error
from tests.gateway.waiting import eventually


async def never_done(received):
    yield document_event()
    await asyncio.Event().wait()


async def test_inference_that_takes_too_long_is_504_and_cancelled(start_gateway, triton):
    gateway = await start_gateway(inference_timeout_seconds=0.3)
    good, triton.script = triton.script, never_done
    assert_error(await gateway.parse(), 504, "0.3 seconds")
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    triton.script = good
    await gateway.assert_still_good()


async def test_the_clock_runs_in_the_line_too(start_gateway, triton):
    gateway = await start_gateway(inference_timeout_seconds=0.3, max_concurrent_requests=1)
    triton.script = never_done
    async with gateway.resources.admission.place():
        assert_error(await gateway.parse(), 504, "0.3 seconds")
    assert not triton.requests
    assert gateway.resources.admission.waiting_here == 0


async def test_draining_refuses_new_documents_and_is_not_ready(start_gateway, triton):
    gateway = await start_gateway(shutdown_grace_seconds=20)
    finish = asyncio.Event()

    async def script(received):
        yield document_event()
        await finish.wait()
        yield page_event(0)

    triton.script = script
    running = asyncio.create_task(gateway.parse())
    await triton.wait_for_requests(1)
    gateway.resources.begin_drain()
    answer = await gateway.parse()
    assert_error(answer, 503, "shutting down")
    assert int(answer.headers["Retry-After"]) >= 1
    assert_error(await gateway.http.get("/health/ready"), 503, "shutting down")
    assert (await gateway.http.get("/health")).status_code == 200
    finish.set()
    assert (await running).status_code == 200


async def test_what_is_left_at_the_end_of_the_grace_period_is_answered_503(start_gateway, triton):
    gateway = await start_gateway(shutdown_grace_seconds=0.2, max_concurrent_requests=1)
    triton.script = never_done
    running, waiting = (asyncio.create_task(gateway.parse()) for _ in range(2))
    await triton.wait_for_requests(1)
    await eventually(lambda: gateway.resources.admission.waiting_here == 1)
    gateway.resources.begin_drain()
    assert_error(await running, 503, "shutting down")
    assert_error(await waiting, 503, "shutting down")
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    assert triton.requests[0].cancelled
