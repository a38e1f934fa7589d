import asyncio
import base64
import json

from tests.fakes.triton import document_event, page_event
from tests.gateway.conftest import GOOD, PNG


async def test_a_document_comes_back_in_the_contracts_shape(gateway):
    answer = await gateway.parse({**GOOD, "logId": "mine"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "logId": "mine",
        "errorCode": 0,
        "errorMsg": "Success",
        "result": {
            "layoutParsingResults": [
                {
                    "prunedResult": {"width": 20, "height": 10},
                    "markdown": {"text": "# Page", "images": {}},
                }
            ],
            "dataInfo": {"width": 20, "height": 10, "type": "image"},
        },
    }


async def test_triton_gets_the_files_own_bytes_and_the_options(gateway, triton):
    await gateway.parse(
        {**GOOD, "logId": "mine", "useChartRecognition": True, "layoutThreshold": {"22": 0.4}}
    )
    (received,) = triton.requests
    assert received.document == PNG
    assert received.model == "layout-parsing"
    assert received.request_id == "mine"
    assert received.options["version"] == 1
    assert received.options["logId"] == "mine"
    assert received.options["kind"] == "png"
    assert 15 < received.options["timeoutSeconds"] <= 20
    assert received.options["parse"]["use_chart_recognition"] is True
    assert received.options["parse"]["layout_threshold"] == {"text": 0.4}
    # gRPC counts it with a tolerance.
    assert 15 < received.seconds_left < 21


async def test_pages_that_finish_in_any_order_come_back_in_theirs(gateway, triton):
    async def backwards(received):
        yield document_event(3, "pdf", renderScale=2.0)
        for index in (2, 0, 1):
            yield page_event(index, {"number": index})

    triton.script = backwards
    result = (await gateway.parse()).json()["result"]
    assert result["layoutParsingResults"] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert result["dataInfo"]["numPages"] == result["dataInfo"]["totalPages"] == 3
    assert result["dataInfo"]["renderScale"] == 2.0


async def test_page_json_is_not_touched(gateway, triton):
    odd = b'{"a" :1.0e5,\n "b": "\\u00e9"}'

    async def script(received):
        yield document_event()
        yield b'{"type":"page","index":0}\n' + odd

    triton.script = script
    assert odd in (await gateway.parse()).content


async def test_a_log_id_is_made_when_none_is_given(gateway):
    first, second = (await gateway.parse()).json()["logId"], (await gateway.parse()).json()["logId"]
    assert first != second


async def test_the_request_id_header_names_the_request(gateway):
    answer = await gateway.parse(headers={"X-Request-Id": "abc-1"})
    assert answer.headers["X-Request-Id"] == answer.json()["logId"] == "abc-1"
    answer = await gateway.parse({**GOOD, "logId": "mine"}, headers={"X-Request-Id": "abc-2"})
    assert answer.headers["X-Request-Id"] == "abc-2"
    assert answer.json()["logId"] == "mine"


async def test_a_request_id_that_is_no_token_is_replaced(gateway):
    answer = await gateway.parse(headers={"X-Request-Id": "two words"})
    assert answer.headers["X-Request-Id"] == answer.json()["logId"] != "two words"


async def test_a_large_document_crosses_whole(gateway, triton):
    # Larger than gRPC's default limit of 4 MiB and than what is decoded on the event loop.
    content = PNG + bytes(range(256)) * 40_000
    big = page_event(0, {"text": "x" * 6_000_000})

    async def script(received):
        yield document_event()
        yield big

    triton.script = script
    answer = await gateway.parse({"file": base64.b64encode(content).decode()})
    assert triton.requests[0].document == content
    assert len(answer.json()["result"]["layoutParsingResults"][0]["text"]) == 6_000_000


async def test_a_data_url_is_a_document(gateway, triton):
    assert (await gateway.parse({"file": f"data:image/png;base64,{GOOD['file']}"})).status_code == 200
    assert triton.requests[0].document == PNG


async def test_the_authorization_header_is_ignored(gateway):
    assert (await gateway.parse(headers={"Authorization": "token x"})).status_code == 200


async def test_json_without_a_content_type_is_read(gateway):
    body = json.dumps(GOOD).encode()
    answer = await gateway.http.post("/layout-parsing", content=body)
    assert answer.status_code == 200


async def test_documents_run_side_by_side_up_to_the_limit(start_gateway, triton):
    gateway = await start_gateway(max_concurrent_requests=3)
    together = asyncio.Event()

    async def meet(received):
        if triton.running == 3:
            together.set()
        await together.wait()
        yield document_event()
        yield page_event(0)

    triton.script = meet
    answers = await asyncio.gather(*(gateway.parse() for _ in range(9)))
    assert {answer.status_code for answer in answers} == {200}
    assert triton.most_running == 3
