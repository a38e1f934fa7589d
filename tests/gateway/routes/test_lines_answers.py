import asyncio
import json

from tests.fakes.triton import ELEMENT, document_event, error_event, page_event
from tests.gateway.conftest import GOOD, assert_error

LINES = {"Accept": "application/x-ndjson"}


async def test_a_page_comes_while_the_next_is_still_worked_on(gateway, triton):
    seen = asyncio.Event()

    async def script(received):
        yield document_event(2, "pdf", renderScale=2.0)
        yield page_event(1)
        await seen.wait()
        yield page_event(0)

    triton.script = script
    body = {**GOOD, "logId": "mine"}
    async with gateway.http.stream("POST", "/layout-parsing", json=body, headers=LINES) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = answer.aiter_lines()
        first = json.loads(await anext(lines))
        assert first["type"] == "document"
        assert first["logId"] == "mine"
        assert first["dataInfo"]["numPages"] == 2
        assert json.loads(await anext(lines)) == {"type": "page", "index": 1, "result": ELEMENT}
        seen.set()
        rest = [json.loads(line) async for line in lines]
    assert rest == [
        {"type": "page", "index": 0, "result": ELEMENT},
        {
            "type": "summary",
            "logId": "mine",
            "errorCode": 0,
            "errorMsg": "Success",
            "dataInfo": first["dataInfo"],
        },
    ]


async def test_an_error_before_the_first_line_has_its_status(gateway, triton):
    async def script(received):
        yield error_event("encrypted_document", "`file` is encrypted.")

    triton.script = script
    assert_error(await gateway.parse(headers=LINES), 422, "`file` is encrypted.")
    assert_error(await gateway.parse({}, headers=LINES), 422, "`file` is required")


async def test_an_error_in_mid_stream_is_the_last_line(gateway, triton):
    async def script(received):
        yield document_event(2, "tiff")
        yield page_event(0)
        yield error_event("vlm_unavailable", "No VLM server answers.")

    triton.script = script
    answer = await gateway.parse({**GOOD, "logId": "mine"}, headers=LINES)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["type"] for line in lines] == ["document", "page", "error"]
    assert lines[-1] == {
        "type": "error",
        "logId": "mine",
        "errorCode": 503,
        "errorMsg": "No VLM server answers.",
    }


async def test_triton_dying_in_mid_stream_is_the_last_line(gateway, triton):
    async def script(received):
        yield document_event(2, "tiff")
        await asyncio.Event().wait()

    triton.script = script
    async with gateway.http.stream("POST", "/layout-parsing", json=GOOD, headers=LINES) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        await triton.stop()
        rest = [json.loads(line) async for line in lines]
    assert [(line["type"], line["errorCode"]) for line in rest] == [("error", 503)]


async def test_a_slow_reader_does_not_hold_a_place(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_requests=1)
    # More than the sockets' buffers hold.
    big = page_event(0, {"text": "x" * 20_000_000})

    async def script(received):
        yield document_event()
        yield big if received.options["logId"] == "big" else page_event(0)

    triton.script = script
    body = {**GOOD, "logId": "big"}
    async with gateway.http.stream("POST", "/layout-parsing", json=body, headers=LINES) as answer:
        await gateway.assert_still_good()
        assert len(await answer.aread()) > 20_000_000
