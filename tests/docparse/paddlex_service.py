"""PaddleX's own service with its own pipeline code, asked in this process: it is not started, no models are loaded."""

import functools
from typing import Any

import httpx
from paddlex.inference.pipelines.paddleocr_vl.pipeline import _PaddleOCRVLPipeline
from paddlex.inference.serving.basic_serving._pipeline_apps.paddleocr_vl import create_pipeline_app
from paddlex.inference.serving.infra.config import create_app_config


@functools.cache
def _app() -> Any:
    pipeline = _PaddleOCRVLPipeline.__new__(_PaddleOCRVLPipeline)
    return create_pipeline_app(
        pipeline, create_app_config({"Serving": {"extra": {"max_num_input_imgs": None}}})
    )


async def ask_paddlex_service(path: str, body: Any) -> httpx.Response:
    """POST a JSON body to PaddleX's application."""
    app = _app()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://paddlex") as client:
            return await client.post(path, json=body)
