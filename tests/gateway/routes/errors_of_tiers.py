"""What the service or a tier behind it cannot do: no place, no time, a defect, a tier that is down."""

import asyncio
import base64

import grpc
import httpx

from gateway.models.example import EXAMPLE_PAGES
from tests.fakes.triton import Abort, document_event, error_event, page_event
from tests.gateway.conftest import PNG
from tests.gateway.routes.error_stage import INTERNAL, Stage, case

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
