"""Triton failing in every way that it can costs one request, and the next good one succeeds."""

import asyncio
import json

import grpc
import pytest

from tests.fakes.triton import Abort, Refusal, document_event, error_event, page_event
from tests.gateway.conftest import assert_error


def soon(answer):
    return asyncio.wait_for(answer, 5)


async def test_a_triton_that_is_not_up_is_503_at_once(gateway, triton):
    await triton.stop()
    answer = await soon(gateway.parse())
    assert_error(answer, 503, "Triton")
    assert answer.headers["Retry-After"]
    await triton.start()
    await gateway.assert_still_good()


async def test_a_triton_that_comes_up_later_is_found(start_gateway, triton):
    await triton.stop()
    gateway = await start_gateway()
    assert_error(await soon(gateway.parse()), 503)
    await triton.start()
    await gateway.assert_still_good()


async def test_a_triton_that_dies_in_mid_stream_is_503(gateway, triton):
    async def script(received):
        yield document_event(2, "tiff")
        yield page_event(0)
        await asyncio.Event().wait()

    good, triton.script = triton.script, script
    running = asyncio.create_task(gateway.parse())
    await triton.wait_for_requests(1)
    await triton.stop()
    assert_error(await soon(running), 503, "Triton")
    triton.script = good
    await triton.start()
    await gateway.assert_still_good()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503),
        (grpc.StatusCode.CANCELLED, 503),
        (grpc.StatusCode.NOT_FOUND, 503),
        (grpc.StatusCode.UNIMPLEMENTED, 503),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 503),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504),
        (grpc.StatusCode.INTERNAL, 503),
        (grpc.StatusCode.INVALID_ARGUMENT, 500),
        (grpc.StatusCode.UNKNOWN, 500),
    ],
)
async def test_each_grpc_status_has_its_answer(gateway, triton, status, expected):
    async def script(received):
        yield document_event(2, "tiff")
        raise Abort(status, "secret inside")

    good, triton.script = triton.script, script
    answer = await gateway.parse()
    assert_error(answer, expected)
    assert "secret" not in answer.text
    triton.script = good
    await gateway.assert_still_good()


async def test_a_document_that_triton_cannot_begin_is_503(gateway, triton):
    """As while a model is loaded anew. Triton says it in words, without a status."""

    async def script(received):
        raise Refusal("Request for unknown model: 'layout-parsing' has no available versions")
        yield  # which makes it a script

    good, triton.script = triton.script, script
    answer = await gateway.parse()
    assert_error(answer, 503, "layout-parsing")
    assert "versions" not in answer.text
    assert answer.headers["Retry-After"]
    triton.script = good
    await gateway.assert_still_good()


async def test_a_document_of_which_nothing_is_heard_is_503_and_cancelled(start_gateway, triton):
    """Triton never ends the streams of a process that has died."""

    async def script(received):
        yield document_event(2, "tiff")
        yield page_event(0)
        await asyncio.Event().wait()

    good, triton.script = triton.script, script
    gateway = await start_gateway(triton_silence_seconds=0.2)
    answer = await soon(gateway.parse())
    assert_error(answer, 503, "Triton stopped")
    assert answer.headers["Retry-After"]
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    assert triton.requests[0].cancelled
    triton.script = good
    await gateway.assert_still_good()


async def test_a_document_that_takes_long_and_says_so_is_waited_for(start_gateway, triton):
    async def script(received):
        for event in (document_event(), page_event(0)):
            for _ in range(5):
                await asyncio.sleep(0.1)
                yield b'{"type":"alive"}'
            yield event

    triton.script = script
    gateway = await start_gateway(triton_silence_seconds=0.4)
    await gateway.assert_still_good()


async def test_a_stream_that_ends_with_an_error_is_read_to_its_end(gateway, triton):
    """Triton never lets go of one that is cancelled just as it ends."""

    async def script(received):
        yield error_event("encrypted_document", "`file` is encrypted.")
        await asyncio.sleep(0.1)

    good, triton.script = triton.script, script
    assert_error(await soon(gateway.parse()), 422, "encrypted")
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    assert not triton.requests[0].cancelled
    triton.script = good
    await gateway.assert_still_good()


async def test_an_error_is_told_though_the_stream_goes_on_after_it(start_gateway, triton):
    async def script(received):
        yield error_event("encrypted_document", "`file` is encrypted.")
        await asyncio.Event().wait()

    good, triton.script = triton.script, script
    gateway = await start_gateway(triton_silence_seconds=0.2)
    assert_error(await soon(gateway.parse()), 422, "encrypted")
    async with asyncio.timeout(5):
        await triton.requests[0].ended.wait()
    triton.script = good
    await gateway.assert_still_good()


async def test_a_stream_that_ends_without_its_last_response_is_503(gateway, triton):
    triton.final_response = False
    assert_error(await gateway.parse(), 503, "before its last page")
    triton.final_response = True
    await gateway.assert_still_good()


@pytest.mark.parametrize(
    "events",
    [
        [],
        [document_event(2, "tiff")],
        [document_event(2, "tiff"), page_event(0)],
        [document_event(), page_event(0), page_event(0)],
        [document_event(), page_event(1)],
        [document_event(), page_event(-1)],
        [document_event(), document_event()],
        [page_event(0), document_event()],
        [b"nonsense"],
    ],
)
async def test_a_stream_that_does_not_add_up_is_our_defect(gateway, triton, events):
    async def script(received):
        for event in events:
            yield event

    good, triton.script = triton.script, script
    assert_error(await gateway.parse(), 500)
    triton.script = good
    await gateway.assert_still_good()


async def test_a_port_that_is_not_triton_is_503(start_gateway):
    async def answer(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    gateway = await start_gateway(triton_url=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert_error(await soon(gateway.parse()), 503)
    server.close()


async def test_triton_is_asked_for_statuses(gateway, triton):
    await gateway.parse()
    assert triton.requests[0].metadata["triton_grpc_error"] == "true"
    assert json.dumps(triton.requests[0].options)
