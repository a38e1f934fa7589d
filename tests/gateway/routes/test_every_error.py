"""Every way to fail, through HTTP: its status, its sentence, its code in the log, and the advice to come back."""

import asyncio
import base64
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest

from gateway.errors import GatewayError
from gateway.models.example import EXAMPLE_PAGES
from tests.fakes.triton import Abort, FakeTriton, document_event, error_event, page_event
from tests.fakes.vlm import FakeVlm, running_vlm
from tests.gateway.conftest import GOOD, PNG, Gateway
from tests.gateway.raw import connected, exchange
from tests.gateway.routes.bad_requests import BAD_REQUESTS, BadRequest
from tests.gateway.waiting import eventually

INTERNAL = "Internal error; the log holds the details under this logId."


@dataclass
class Stage:
    """A gateway and what stands behind it."""

    gateway: Gateway
    triton: FakeTriton
    vlm: FakeVlm

    async def post(self, body: Any = GOOD, headers: Mapping[str, str] = {}) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.gateway.http.post(
            "/layout-parsing", content=content, headers={"Content-Type": "application/json", **headers}
        )

    async def get(self, path: str) -> httpx.Response:
        return await self.gateway.http.get(path)

    async def post_while_triton_says(self, *events: bytes | Abort) -> httpx.Response:
        async def script(received):
            for event in events:
                if isinstance(event, Abort):
                    raise event
                yield event

        self.triton.script = script
        return await self.post()


@dataclass
class Case:
    status: int
    code: str
    sentence: str
    produce: Callable[[Stage], Awaitable[httpx.Response]]
    settings: dict[str, Any]


CASES: dict[str, Case] = {}


def case(name: str, status: int, code: str, sentence: str, **settings: Any) -> Callable[[Any], Any]:
    """The decorated function produces this error."""

    def add(produce: Any) -> Any:
        assert name not in CASES
        CASES[name] = Case(status, code, sentence, produce, settings)
        return produce

    return add


for bad_name, bad in BAD_REQUESTS.items():

    @case(bad_name, bad.status, bad.code, bad.sentence)
    async def sent(stage: Stage, bad: BadRequest = bad) -> httpx.Response:
        return await stage.post(bad.body, bad.headers)


for model_code, model_status in {
    "invalid_document": 422,
    "encrypted_document": 422,
    "empty_document": 422,
    "unsupported_document": 422,
    "image_too_large": 422,
    "too_many_pages": 413,
    "invalid_option": 422,
    "vlm_unavailable": 503,
    "layout_unavailable": 503,
    "preprocessing_unavailable": 503,
    "deadline_exceeded": 504,
}.items():

    @case(f"the model says {model_code}", model_status, model_code, "`file` has something.")
    async def said_by_the_model(stage: Stage, code: str = model_code) -> httpx.Response:
        return await stage.post_while_triton_says(error_event(code, "`file` has something."))


@case("the model refuses pages", 422, "invalid_pages", "`pages[0]` has something.")
async def pages_refused(stage: Stage) -> httpx.Response:
    async def refuse(received):
        return error_event("invalid_pages", "`pages[0]` has something.")

    stage.triton.restructure_script = refuse
    return await stage.gateway.http.post("/restructure-pages", json=EXAMPLE_PAGES)


for model_code in ("internal", "a_code_from_the_future"):

    @case(f"the model says {model_code}", 500, "internal", INTERNAL)
    async def defect_of_the_model(stage: Stage, code: str = model_code) -> httpx.Response:
        return await stage.post_while_triton_says(error_event(code, "Traceback: secret"))


IMAGES = {"image_store": "local", "image_store_dir": "/nowhere", "image_store_secret": "s" * 16}


def image_link(expires: int) -> str:
    name = f"9999999600-{'0' * 32}.jpg"
    message = f"{name}\n{expires}".encode()
    signature = hmac.digest(IMAGES["image_store_secret"].encode(), message, "sha256").hex()
    return f"/images/{name}?expires={expires}&signature={signature}"


@case("a forged link", 403, "invalid_link", "The link is not valid: its signature does not match.", **IMAGES)
async def forged_link(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(1).replace("expires=1", "expires=9999999000"))


@case(
    "an old link",
    403,
    "link_expired",
    "The link has expired; parse the document again for a new one.",
    **IMAGES,
)
async def old_link(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(1))


@case(
    "an image that is gone",
    404,
    "image_gone",
    "The image is gone; parse the document again for a new one.",
    **IMAGES,
)
async def image_that_is_gone(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(9999999000))


@case(
    "a process of a model dies",
    503,
    "triton_unavailable",
    "Triton cannot run the model 'layout-parsing' just now.",
)
async def triton_fails(stage: Stage) -> httpx.Response:
    return await stage.post_while_triton_says(Abort(grpc.StatusCode.INTERNAL, "secret"))


@case("a page is missing", 500, "internal", INTERNAL)
async def page_is_missing(stage: Stage) -> httpx.Response:
    return await stage.post_while_triton_says(document_event(2, "tiff"), page_event(0))


@case("a defect of ours", 500, "internal", INTERNAL)
async def defect_of_ours(stage: Stage) -> httpx.Response:
    async def broken(request):
        raise RuntimeError("secret")

    stage.gateway.app.router.add_route("/broken", broken)
    return await stage.get("/broken")


@case(
    "no key",
    401,
    "missing_api_key",
    "An API key is needed; send it as `Authorization: Bearer KEY`.",
    api_keys="a:k",
)
async def no_key(stage: Stage) -> httpx.Response:
    return await stage.post()


@case(
    "a page of another origin",
    403,
    "origin_refused",
    "A page of this origin may not send this request (HPS_CORS_ORIGINS).",
    cors_origins=("https://a",),
)
async def page_of_another_origin(stage: Stage) -> httpx.Response:
    asked = {"Origin": "https://b", "Access-Control-Request-Method": "POST"}
    return await stage.gateway.http.options("/layout-parsing", headers=asked)


@case("wrong key", 403, "unknown_api_key", "The API key is not known.", api_keys="a:k")
async def wrong_key(stage: Stage) -> httpx.Response:
    return await stage.post(headers={"Authorization": "Bearer secret"})


@case(
    "unknown path", 404, "not_found", "There is nothing at this path; documents go to POST /layout-parsing."
)
async def unknown_path(stage: Stage) -> httpx.Response:
    return await stage.get("/nothing")


@case("wrong method", 405, "method_not_allowed", "This path does not answer the method GET.")
async def wrong_method(stage: Stage) -> httpx.Response:
    return await stage.get("/layout-parsing")


LIMITS = {"max_body_bytes": 8192, "max_document_bytes": 2048}


@case(
    "body too large",
    413,
    "payload_too_large",
    "The request's body has more than 8192 bytes (HPS_MAX_BODY_BYTES).",
    **LIMITS,
)
async def body_too_large(stage: Stage) -> httpx.Response:
    return await stage.post({"file": "A" * 9_000_000})


@case(
    "a body that stops",
    408,
    "request_timeout",
    "The request's body stopped arriving: it made no progress for 0.2 seconds (HPS_BODY_TIMEOUT).",
    body_timeout_seconds=0.2,
)
async def body_that_stops(stage: Stage) -> httpx.Response:
    async with connected(stage.gateway.url) as client:
        client.send("POST /layout-parsing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        status, headers, content = await client.answer()
    return httpx.Response(status, headers=headers, content=content)


@case(
    "no room",
    429,
    "too_busy",
    "The service is at its limit of bytes of requests held at one time; try again later.",
    body_timeout_seconds=0.2,
    max_body_bytes=65536,
    max_document_bytes=65536,
    max_body_bytes_in_flight=65536,
)
async def no_room(stage: Stage) -> httpx.Response:
    async def keep_it(received):
        await asyncio.Event().wait()
        yield b""

    stage.triton.script = keep_it
    body = {"file": base64.b64encode(PNG + bytes(35_000)).decode()}
    first = asyncio.create_task(stage.post(body))
    await stage.triton.wait_for_requests(1)
    answer = await stage.post(body)
    first.cancel()
    return answer


@case("head too large", 431, "head_too_large", "The head of the request has more than 65536 bytes.")
async def head_too_large(stage: Stage) -> httpx.Response:
    return await stage.post(headers={"X-Long": "a" * 70_000})


@case(
    "document too large",
    413,
    "payload_too_large",
    "`file` has 3000 bytes; the limit is 2048 (HPS_MAX_DOCUMENT_BYTES).",
    **LIMITS,
)
async def document_too_large(stage: Stage) -> httpx.Response:
    return await stage.post({"file": "A" * 4000})


@case(
    "no place",
    429,
    "too_busy",
    "The service is at its limit of requests running and waiting; try again later.",
    max_concurrent_requests=1,
    max_queued_requests=0,
)
async def no_place(stage: Stage) -> httpx.Response:
    async with stage.gateway.resources.admission.place():
        return await stage.post()


@case(
    "out of time",
    504,
    "deadline_exceeded",
    "The request was not finished within 0.2 seconds.",
    inference_timeout_seconds=0.2,
)
async def out_of_time(stage: Stage) -> httpx.Response:
    async def never_done(received):
        yield document_event()
        await asyncio.Event().wait()

    stage.triton.script = never_done
    return await stage.post()


@case("draining", 503, "shutting_down", "The service is shutting down.")
async def draining(stage: Stage) -> httpx.Response:
    stage.gateway.resources.begin_drain()
    return await stage.post()


@case("draining, asked whether ready", 503, "shutting_down", "Not ready: shutting down.")
async def not_ready_when_draining(stage: Stage) -> httpx.Response:
    stage.gateway.resources.begin_drain()
    return await stage.get("/health/ready")


@case("Triton down", 503, "triton_unavailable", "Triton cannot be reached.")
async def triton_down(stage: Stage) -> httpx.Response:
    await stage.triton.stop()
    return await stage.post()


@case("Triton down, asked whether ready", 503, "not_ready", "Not ready: Triton not live.")
async def not_ready_without_triton(stage: Stage) -> httpx.Response:
    await stage.triton.stop()
    return await stage.get("/health/ready")


@case("model not loaded", 503, "triton_unavailable", "Triton has not loaded the model 'layout-parsing'.")
async def model_not_loaded(stage: Stage) -> httpx.Response:
    return await stage.post_while_triton_says(Abort(grpc.StatusCode.NOT_FOUND))


@case("model not ready", 503, "not_ready", "Not ready: model 'layout-detection' not ready.")
async def model_not_ready(stage: Stage) -> httpx.Response:
    stage.triton.ready_models.remove("layout-detection")
    return await stage.get("/health/ready")


@case("VLM down", 503, "not_ready", "Not ready: no VLM server healthy ({vlm}).")
async def vlm_down(stage: Stage) -> httpx.Response:
    stage.vlm.healthy = False
    return await stage.get("/health/ready")


@pytest.fixture
def access_lines(caplog):
    caplog.set_level(logging.DEBUG, logger="gateway.access")

    def read():
        return [record.fields for record in caplog.records if record.name == "gateway.access"]

    return read


@pytest.fixture
async def set_stage(start_gateway, triton):
    async with running_vlm() as vlm:

        async def start(**settings: Any) -> Stage:
            return Stage(await start_gateway(vlm_urls=(vlm.url,), **settings), triton, vlm)

        yield start


@pytest.mark.parametrize("name", CASES)
async def test_an_error_has_its_status_its_sentence_and_its_code(set_stage, access_lines, name):
    case = CASES[name]
    stage = await set_stage(**case.settings)
    answer = await case.produce(stage)
    sentence = case.sentence.format(vlm=stage.vlm.url)
    assert answer.status_code == case.status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "logId": answer.headers["X-Request-Id"],
        "errorCode": case.status,
        "errorMsg": sentence,
    }
    assert "secret" not in answer.text
    if "Retry-After" in answer.headers:
        assert int(answer.headers["Retry-After"]) >= 1
    assert ("Retry-After" in answer.headers) == (case.status in (429, 503))
    assert ("WWW-Authenticate" in answer.headers) == (case.status == 401)
    assert ("Allow" in answer.headers) == (case.status == 405)
    (line,) = access_lines()
    assert (line["status"], line["error"]) == (case.status, case.code)
    await assert_described(stage, line["method"].lower(), line["path"], case.status)


async def assert_described(stage: Stage, method: str, path: str, status: int) -> None:
    """The API pages say that this operation may answer so."""
    operation = (await stage.get("/openapi.json")).json()["paths"].get(path, {}).get(method)
    if operation is not None:
        assert str(status) in operation["responses"]


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_costs_nobody_else(gateway, triton, name):
    await CASES[name].produce(Stage(gateway, triton, FakeVlm()))
    assert not triton.requests
    await gateway.assert_still_good()


async def test_a_client_that_left_is_logged_as_499(set_stage, access_lines):
    stage = await set_stage()
    head = "POST /layout-parsing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with pytest.raises(asyncio.IncompleteReadError):
        await exchange(stage.gateway.url, head, hang_up=True)
    await eventually(lambda: bool(access_lines()))
    (line,) = access_lines()
    assert (line["status"], line["error"]) == (499, "client_gone")


def test_no_code_is_left_out():
    def codes(kind: type[GatewayError]) -> set[str]:
        return {kind.code}.union(*(codes(each) for each in kind.__subclasses__()))

    produced = {case.code for case in CASES.values()} | {"client_gone", "reader_too_slow"}
    assert codes(GatewayError) - produced == set()
