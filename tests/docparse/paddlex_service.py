"""PaddleX's own service with its own pipeline code, asked in this process: it is not started, no models are loaded."""

from typing import Any

import httpx
import reportlab
from paddlex.inference.pipelines.paddleocr_vl.pipeline import _PaddleOCRVLPipeline
from paddlex.inference.serving.basic_serving._pipeline_apps.paddleocr_vl import create_pipeline_app
from paddlex.inference.serving.infra.config import create_app_config
from paddlex.utils import fonts

# PaddleX would fetch fonts to draw pages with; a development tool of ours has one.
for font in (fonts.PINGFANG_FONT, fonts.SIMFANG_FONT):
    font._local_path = f"{reportlab.__path__[0]}/fonts/Vera.ttf"


async def ask_paddlex_service(
    path: str, body: Any, pipeline: Any = None, *, most_pages: int | None = None
) -> httpx.Response:
    """POST a JSON body, or the bytes of one, to PaddleX's application.

    Args:
        path: of the endpoint.
        body: as a client sends it.
        pipeline: PaddleX's; without one, for what needs no models, there is none in it.
        most_pages: after which PaddleX leaves the rest out; its PaddleOCR-VL.yaml sets no limit.
    """
    pipeline = pipeline or _PaddleOCRVLPipeline.__new__(_PaddleOCRVLPipeline)
    config = create_app_config({"Serving": {"extra": {"max_num_input_imgs": most_pages}}})
    app = create_pipeline_app(pipeline, config)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://paddlex") as client:
            if isinstance(body, bytes):
                return await client.post(path, content=body, headers={"Content-Type": "application/json"})
            return await client.post(path, json=body)
