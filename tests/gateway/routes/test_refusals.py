"""Each bad request gets its sentence, and the next good one succeeds."""

import base64
import json

import pytest

from tests.fakes.triton import error_event
from tests.gateway.conftest import GOOD, PNG, assert_error


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def post(gateway, content, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.http.post("/layout-parsing", content=content, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"file": ',
        b"{'file': 'x'}",
        b'{"file": "x", "temperature": NaN}',
        b'{"file": "x", "vlmExtraArgs": {"a": Infinity}}',
        b'{"file": "\xff"}',
        b'{"file": "\\ud800"}',
        b"[" * 10_000,
    ],
)
async def test_what_is_not_json_is_malformed(gateway, body):
    assert_error(await post(gateway, body, Content_Type="application/json"), 400)
    await gateway.assert_still_good()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], ["JSON object"]),
        ({}, ["`file` is required"]),
        ({"file": None}, ["`file`"]),
        ({"file": 5}, ["`file`"]),
        ({**GOOD, "fileType": "1"}, ["`fileType`"]),
        ({**GOOD, "fileType": 7}, ["`fileType`"]),
        ({**GOOD, "layoutNms": "perhaps"}, ["`layoutNms`"]),
        ({**GOOD, "layoutThreshold": {"nonsense": 0.5}}, ["`layoutThreshold`", "nonsense"]),
        ({**GOOD, "fileType": 0}, ["`fileType`", "PNG"]),
        ({"file": "%%%"}, ["`file`", "base64"]),
        ({"file": ""}, ["`file` is empty"]),
        ({"file": b64(b"just some text")}, ["`file` must be"]),
        ({"file": b64(b"<html></html>")}, ["`file`", "HTML"]),
        ({"file": b64(b"%PDF-1.7"), "fileType": 1}, ["`fileType`", "PDF"]),
    ],
)
async def test_a_bad_field_is_named(gateway, triton, body, words):
    assert_error(await gateway.parse(body), 422, *words)
    assert not triton.requests
    await gateway.assert_still_good()


async def test_the_log_id_of_a_bad_request_comes_back(gateway):
    answer = await gateway.parse({"logId": "mine"})
    assert_error(answer, 422)
    assert answer.json()["logId"] == "mine"
    assert_error(await gateway.parse({**GOOD, "logId": 5}), 422, "`logId`")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", "odd"]
)
async def test_other_content_types_are_not_served(gateway, media_type):
    answer = await post(gateway, json.dumps(GOOD).encode(), Content_Type=media_type)
    assert_error(answer, 415, "application/json", media_type)
    await gateway.assert_still_good()


async def test_a_compressed_body_is_not_served(gateway):
    answer = await post(gateway, b"x", Content_Type="application/json", Content_Encoding="gzip")
    assert_error(answer, 415, "Content-Encoding")


async def test_a_body_over_the_limit_is_refused_by_its_length(start_gateway, triton):
    gateway = await start_gateway(max_body_bytes=8192, max_document_bytes=4096)
    assert_error(await gateway.parse({"file": "A" * 9000}), 413, "8192")
    assert_error(await gateway.parse({"file": "A" * 9_000_000}), 413, "8192")
    await gateway.assert_still_good()


async def test_a_body_over_the_limit_is_refused_while_it_arrives(start_gateway):
    gateway = await start_gateway(max_body_bytes=8192, max_document_bytes=4096)

    async def chunks():
        for _ in range(20):
            yield b"A" * 1000

    assert_error(await post(gateway, chunks(), Content_Type="application/json"), 413, "8192")
    form = {"Content_Type": "multipart/form-data; boundary=x"}
    assert_error(await post(gateway, chunks(), **form), 413, "8192")
    await gateway.assert_still_good()


async def test_a_document_over_the_limit_is_refused(start_gateway):
    gateway = await start_gateway(max_body_bytes=16384, max_document_bytes=4096)
    answer = await gateway.parse({"file": b64(PNG + bytes(4096))})
    assert_error(answer, 413, "`file`", "4096")
    await gateway.assert_still_good()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_document", 422),
        ("encrypted_document", 422),
        ("empty_document", 422),
        ("unsupported_document", 422),
        ("image_too_large", 422),
        ("too_many_pages", 413),
        ("invalid_option", 422),
        ("vlm_unavailable", 503),
        ("layout_unavailable", 503),
        ("deadline_exceeded", 504),
    ],
)
async def test_what_the_model_says_reaches_the_client(gateway, triton, code, status):
    async def script(received):
        yield error_event(code, "`file` has something.")

    good, triton.script = triton.script, script
    answer = await gateway.parse()
    assert_error(answer, status, "`file` has something.")
    assert ("Retry-After" in answer.headers) == (status == 503)
    triton.script = good
    await gateway.assert_still_good()


@pytest.mark.parametrize("code", ["internal", "a_code_from_the_future"])
async def test_defects_of_the_model_stay_inside(gateway, triton, code):
    async def script(received):
        yield error_event(code, "Traceback: secret")

    triton.script = script
    answer = await gateway.parse()
    assert_error(answer, 500, "logId")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/layout-parsing", 405),
        ("PUT", "/layout-parsing", 405),
        ("POST", "/health", 405),
        ("GET", "/", 404),
        ("POST", "/nothing", 404),
        ("GET", "/static-offline-docs/nothing.js", 404),
    ],
)
async def test_every_path_and_method_answers_in_the_same_shape(gateway, method, path, status):
    answer = await gateway.http.request(method, path)
    assert_error(answer, status)
    assert answer.headers["X-Request-Id"]
    if status == 405:
        assert answer.headers["Allow"]
