"""POST /restructure-pages at the gateway: what is passed on, what comes back, and how it is described."""

import json
from pathlib import Path

import grpc
import pytest

from gateway.errors import InvalidRequest
from gateway.models.example import EXAMPLE_PAGES
from gateway.models.restructuring import RestructurePagesRequest, validate_restructuring
from gateway.models.results import parse_result
from tests.fakes.triton import RESULT, Abort, error_event, result_message
from tests.fakes.vlm import running_vlm
from tests.gateway.conftest import assert_error
from tests.gateway.pages import GOOD, PATH, block, page, restructure

WIRE = Path(__file__).parents[2] / "golden" / "wire"


async def test_the_result_comes_back_in_the_contracts_shape(gateway):
    answer = await restructure(gateway, {**GOOD, "logId": "mine"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"logId": "mine", "result": RESULT, "errorCode": 0, "errorMsg": "Success"}


async def test_the_result_is_not_touched(gateway, triton):
    odd = b'{"layoutParsingResults" :[1.0e5,\n "\\u00e9"]}'

    async def script(received):
        return b'{"type":"result"}\n' + odd

    triton.restructure_script = script
    assert odd in (await restructure(gateway)).content


async def test_triton_gets_the_clients_own_body_and_every_option(gateway, triton):
    header, _, body = (WIRE / "restructure-request.bin").read_bytes().partition(b"\n")
    answer = await gateway.http.post(PATH, content=body)
    assert answer.status_code == 200
    (received,) = triton.restructure_requests
    assert received.model == "restructure-pages"
    assert received.request_id == "abc"
    assert received.body == body
    expected = json.loads(header)
    assert 15 < received.header.pop("timeoutSeconds") <= 20
    del expected["timeoutSeconds"]
    assert received.header == expected
    # gRPC counts it with a tolerance.
    assert 15 < received.seconds_left < 21


async def test_the_defaults_are_those_of_paddlex(gateway, triton):
    await restructure(gateway, {"pages": []})
    assert triton.restructure_requests[0].header["options"] == {
        "merge_tables": True,
        "relevel_titles": True,
        "concatenate_pages": False,
        "prettify_markdown": True,
        "show_formula_number": False,
        "return_markdown_images": True,
        "output_formats": None,
    }


def test_the_golden_request_sets_every_field_there_is():
    body = json.loads((WIRE / "restructure-request.bin").read_bytes().partition(b"\n")[2])
    fields = {field.alias for field in RestructurePagesRequest.model_fields.values()}
    assert set(body) | {"mergeTables"} == fields  # the one whose default it keeps


def test_the_golden_answers_are_read():
    result = (WIRE / "restructure-result.bin").read_bytes()
    assert parse_result(result) == result.partition(b"\n")[2]
    assert parse_result((WIRE / "restructure-error.bin").read_bytes()).code == "invalid_pages"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], ["JSON object", "`pages`"]),
        ({}, ["`pages` is required"]),
        ({"pages": None}, ["`pages`"]),
        ({"pages": {}}, ["`pages`"]),
        ({"pages": [{}]}, ["`pages[0].prunedResult` is required"]),
        ({"pages": [page(), {"prunedResult": None}]}, ["`pages[1].prunedResult`"]),
        ({"pages": [{"prunedResult": {}}]}, ["`pages[0].prunedResult.width` is required", "And 1 more"]),
        ({"pages": [page(width=0)]}, ["`pages[0].prunedResult.width`", "greater than or equal to 1"]),
        ({"pages": [page(height="9")]}, ["`pages[0].prunedResult.height`"]),
        ({"pages": [page(height=True)]}, ["`pages[0].prunedResult.height`"]),
        ({"pages": [page(model_settings=[])]}, ["`pages[0].prunedResult.model_settings`"]),
        (
            {"pages": [page(model_settings={"markdown_ignore_labels": [1]})]},
            ["`pages[0].prunedResult.model_settings.markdown_ignore_labels[0]`"],
        ),
        (
            {"pages": [page(parsing_res_list=[block(), {"block_label": "text"}])]},
            ["`pages[0].prunedResult.parsing_res_list[1].block_content` is required"],
        ),
        (
            {"pages": [page(parsing_res_list=[block(block_bbox=[1, 2, 3])])]},
            ["`pages[0].prunedResult.parsing_res_list[0].block_bbox`"],
        ),
        (
            {"pages": [page(parsing_res_list=[block(block_bbox=[1, 2, 3, 1e30])])]},
            ["`pages[0].prunedResult.parsing_res_list[0].block_bbox[3]`"],
        ),
        ({"pages": [{**page(), "markdownImages": {"a": 5}}]}, ["`pages[0].markdownImages.a`"]),
        ({**GOOD, "mergeTables": None}, ["`mergeTables`"]),
        ({**GOOD, "concatenatePages": "perhaps"}, ["`concatenatePages`"]),
        ({**GOOD, "outputFormats": ["pdf"]}, ["`outputFormats`", "pdf"]),
        ({**GOOD, "logId": 5}, ["`logId`"]),
    ],
    ids=str,
)
async def test_a_bad_field_is_named_before_any_work(gateway, triton, body, words):
    assert_error(await restructure(gateway, body), 422, *words)
    assert not triton.restructure_requests


async def test_a_very_long_name_of_a_picture_is_not_repeated_whole():
    with pytest.raises(InvalidRequest) as caught:
        validate_restructuring({"pages": [{**page(), "markdownImages": {"x" * 10_000: 5}}]})
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("content", [b"", b"not json", b'{"pages": [NaN]}', b'{"pages": ['])
async def test_what_is_not_json_is_malformed(gateway, content):
    assert_error(await gateway.http.post(PATH, content=content), 400)


async def test_other_bodies_are_not_served(gateway):
    form = await gateway.http.post(PATH, files={"file": b"x"})
    assert_error(form, 415, "application/json", "multipart/form-data")
    packed = await gateway.http.post(PATH, content=b"x", headers={"Content-Encoding": "gzip"})
    assert_error(packed, 415, "Content-Encoding")


async def test_a_body_over_the_limit_is_refused(start_gateway):
    gateway = await start_gateway(max_body_bytes=8192, max_document_bytes=4096)
    assert_error(await restructure(gateway, {"pages": [], "more": "A" * 9000}), 413, "8192")


async def test_the_log_id_of_a_bad_request_comes_back(gateway):
    answer = await restructure(gateway, {"logId": "mine"})
    assert_error(answer, 422)
    assert answer.json()["logId"] == "mine"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_pages", 422),
        ("invalid_option", 422),
        ("deadline_exceeded", 504),
        ("internal", 500),
        ("new", 500),
    ],
)
async def test_what_the_model_says_reaches_the_client_unless_it_is_a_defect(gateway, triton, code, status):
    async def script(received):
        return error_event(code, "`pages` has something.")

    triton.restructure_script = script
    assert_error(await restructure(gateway), status, "logId" if status == 500 else "`pages` has something.")


@pytest.mark.parametrize(
    "message", [b"", b"nonsense", b'{"type":"result"}', b'{"type":"page","index":0}\n{}', b"[]\n{}"]
)
async def test_an_answer_that_is_none_is_our_defect(gateway, triton, message):
    async def script(received):
        return message

    triton.restructure_script = script
    assert_error(await restructure(gateway), 500, "logId")


@pytest.mark.parametrize(
    ("status", "expected", "word"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503, "Triton"),
        (grpc.StatusCode.NOT_FOUND, 503, "'restructure-pages'"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504, "time"),
        (grpc.StatusCode.INTERNAL, 503, "restructure-pages"),
    ],
)
async def test_each_grpc_status_has_its_answer(gateway, triton, status, expected, word):
    async def script(received):
        raise Abort(status, "secret inside")

    triton.restructure_script = script
    answer = await restructure(gateway)
    assert_error(answer, expected, word)
    assert "secret" not in answer.text


async def test_the_service_is_not_ready_without_the_model(start_gateway, triton):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        triton.ready_models.remove("restructure-pages")
        answer = await gateway.http.get("/health/ready")
    assert_error(answer, 503, "model 'restructure-pages' not ready")


async def test_get_is_refused_quickly(gateway):
    assert_error(await gateway.http.get(PATH), 405, "GET")


async def test_pages_of_many_megabytes_cross_whole(gateway, triton):
    body = {"pages": [{**page(), "markdownImages": {"a": "A" * 9_000_000}}]}
    big = {"layoutParsingResults": ["x" * 9_000_000]}

    async def script(received):
        return result_message(big)

    triton.restructure_script = script
    assert (await restructure(gateway, body)).json()["result"] == big
    assert json.loads(triton.restructure_requests[0].body) == body


async def operation(gateway):
    return (await gateway.http.get("/openapi.json")).json()["paths"][PATH]["post"]


async def test_every_field_is_shown_with_its_meaning(gateway):
    schema = (await operation(gateway))["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {
        field.alias for field in RestructurePagesRequest.model_fields.values()
    }
    assert schema["required"] == ["pages"]
    assert all(field["description"] for field in schema["properties"].values())
    pruned = schema["properties"]["pages"]["items"]["properties"]["prunedResult"]
    assert set(pruned["required"]) == {"width", "height", "model_settings", "parsing_res_list"}
    assert set(pruned["properties"]["parsing_res_list"]["items"]["required"]) == {
        "block_label", "block_content", "block_bbox",
    }  # fmt: skip
    assert "$ref" not in json.dumps(schema)


async def test_the_example_is_taken(gateway):
    example = (await operation(gateway))["requestBody"]["content"]["application/json"]["example"]
    assert example == EXAMPLE_PAGES
    assert (await restructure(gateway, example)).status_code == 200
