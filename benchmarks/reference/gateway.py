"""The reference's HTTP tier: `python -m benchmarks.reference.gateway --port N`.

Kept, of PaddleOCR's deploy/paddleocr_vl_docker/hps/gateway/app.py and PaddleX's paddlex_hps_client: the body as a
dict (FastAPI, json.loads), a semaphore per worker around the call of Triton, the dict as JSON again in a BYTES tensor,
tritonclient's `infer`, the answer parsed, and written again by JSONResponse; uvicorn as the reference's image has it,
without uvloop and httptools, which are not among its requirements.
Not kept: its other endpoints, its settings beyond these.
"""

import argparse
import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from tritonclient.grpc import aio as triton_grpc

_TIMEOUT_SECONDS = 600
_MAX_CONCURRENT_REQUESTS = 16
_MODEL = "reference-parsing"


def create_app() -> FastAPI:
    """The application; where Triton is comes from the environment, as in the reference."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.triton = triton_grpc.InferenceServerClient(
            url=os.environ["HPS_TRITON_URL"],
            keepalive_options=triton_grpc.KeepAliveOptions(keepalive_timeout_ms=_TIMEOUT_SECONDS * 1000),
        )
        app.state.semaphore = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)
        yield
        await app.state.triton.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return _without_result(0, "Healthy")

    @app.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        is_ready = await request.app.state.triton.is_model_ready(_MODEL)
        return JSONResponse(_without_result(0, "Ready"), status_code=200 if is_ready else 503)

    @app.post("/layout-parsing", response_class=JSONResponse)
    async def infer(request: Request, body: dict) -> JSONResponse:  # type: ignore[type-arg]
        return await _process(request.app, body)

    return app


async def _process(app: FastAPI, body: dict[str, Any]) -> JSONResponse:
    log_id = body.get("logId", str(uuid.uuid4()))
    body["logId"] = log_id
    try:
        async with app.state.semaphore:
            output = await _ask_triton(app.state.triton, body)
    except triton_grpc.InferenceServerException as error:
        status = 504 if "Deadline Exceeded" in str(error) else 500
        return JSONResponse(_without_result(status, "Internal server error", log_id), status_code=status)
    code = output.get("errorCode", 0)
    if code != 0:
        return JSONResponse(_without_result(code, output.get("errorMsg", ""), log_id), status_code=code)
    return JSONResponse(output)


async def _ask_triton(client: Any, body: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(body, separators=(",", ":")).encode("utf-8")
    tensor = triton_grpc.InferInput("input", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[data]], dtype=np.object_))
    results = await client.infer(
        _MODEL, inputs=[tensor], timeout=_TIMEOUT_SECONDS, client_timeout=_TIMEOUT_SECONDS
    )
    answer: dict[str, Any] = json.loads(results.as_numpy("output")[0, 0].decode("utf-8"))
    return answer


def _without_result(code: int, message: str, log_id: str | None = None) -> dict[str, Any]:
    return {"logId": log_id or str(uuid.uuid4()), "errorCode": code, "errorMsg": message}


def main() -> None:
    """Serve on loopback with one worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        create_app(),
        host="127.0.0.1",
        port=parser.parse_args().port,
        loop="asyncio",
        http="h11",
        log_level="warning",
    )


if __name__ == "__main__":
    main()
