"""Each bad request gets its sentence, and the next good one succeeds."""

import base64
import gzip
import json

import pytest

from gateway.models.example import EXAMPLE_PAGES
from tests.gateway.conftest import GOOD, assert_error


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def post(gateway, content, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.http.post("/layout-parsing", content=content, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
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


TEXT = json.dumps({**GOOD, "logId": "页"}, ensure_ascii=False)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
async def test_json_as_windows_writes_it_is_read(gateway, encoding):
    answer = await post(gateway, TEXT.encode(encoding), Content_Type="application/json")
    assert (answer.status_code, answer.json()["logId"]) == (200, "页")
    pages = json.dumps(EXAMPLE_PAGES).encode(encoding)
    answer = await gateway.http.post("/restructure-pages", content=pages)
    assert answer.status_code == 200


async def test_what_says_that_it_is_utf_16_and_is_not_is_malformed(gateway):
    assert_error(await post(gateway, b"\xff\xfe{\xd8\x00\xd8\x00"), 400, "UTF-16")


@pytest.mark.parametrize("path", ["/layout-parsing/", "//layout-parsing", "//layout-parsing//"])
async def test_slashes_around_a_path_mean_nothing(gateway, path):
    answer = await gateway.http.post(f"{gateway.url}{path}", json=GOOD)
    assert (answer.status_code, answer.json()["errorCode"]) == (200, 0)
    assert (await gateway.http.get(f"{gateway.url}{path}")).headers["Allow"] == "POST"
    assert (await gateway.http.get(f"{gateway.url}/health/")).status_code == 200
    assert_error(await gateway.http.get(f"{gateway.url}//"), 404)


@pytest.mark.parametrize("coding", ["", "identity", "utf-8", "UTF-8"])
async def test_a_header_that_speaks_of_no_compression_is_not_taken_for_one(gateway, coding):
    answer = await post(gateway, json.dumps(GOOD).encode(), Content_Encoding=coding)
    assert answer.status_code == 200


@pytest.mark.parametrize("coding", ["GZIP", "br", "identity, zstd"])
async def test_a_body_that_is_said_to_be_compressed_is_refused(gateway, coding):
    assert_error(await post(gateway, json.dumps(GOOD).encode(), Content_Encoding=coding), 415)


async def test_a_compressed_body_is_refused_with_what_would_be_accepted(gateway):
    answer = await post(gateway, gzip.compress(json.dumps(GOOD).encode()), Content_Encoding="gzip")
    assert_error(answer, 415, "Content-Encoding")
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"file": 5}, ["`file`"]),
        ({**GOOD, "fileType": "1"}, ["`fileType`"]),
        ({**GOOD, "fileType": 7}, ["`fileType`"]),
        ({**GOOD, "layoutNms": "perhaps"}, ["`layoutNms`"]),
        ({**GOOD, "layoutThreshold": {"nonsense": 0.5}}, ["`layoutThreshold`", "nonsense"]),
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


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "image/png", "odd"])
async def test_other_content_types_are_not_served(gateway, media_type):
    answer = await post(gateway, json.dumps(GOOD).encode(), Content_Type=media_type)
    assert_error(answer, 415, "application/json", media_type)
    await gateway.assert_still_good()


async def test_a_body_over_the_limit_is_refused_by_its_length(start_gateway, triton):
    gateway = await start_gateway(max_body_bytes=8192, max_document_bytes=4096)
    assert_error(await gateway.parse({"file": "A" * 9000}), 413, "8192")
    assert_error(await gateway.parse({"file": "A" * 9_000_000}), 413, "8192")
    await gateway.assert_still_good()


async def test_a_body_over_the_limit_is_refused_while_it_arrives(start_gateway):
    gateway = await start_gateway(max_body_bytes=8192, max_document_bytes=4096)

    async def chunks(start):
        yield start
        for _ in range(20):
            yield b"A" * 1000

    answer = await post(gateway, chunks(b'{"file": "'), Content_Type="application/json")
    assert_error(answer, 413, "8192")
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    answer = await post(gateway, chunks(part), Content_Type="multipart/form-data; boundary=x")
    assert_error(answer, 413, "8192")
    await gateway.assert_still_good()


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("PUT", "/layout-parsing", 405, "POST"),
        ("POST", "/health", 405, "GET, HEAD"),
        ("GET", "/", 404, None),
        ("GET", "/static-offline-docs/nothing.js", 404, None),
    ],
)
async def test_every_path_and_method_answers_in_the_same_shape(gateway, method, path, status, allowed):
    answer = await gateway.http.request(method, path)
    assert_error(answer, status)
    assert answer.headers["X-Request-Id"]
    assert answer.headers.get("Allow") == allowed
