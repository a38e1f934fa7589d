"""The `layout-parsing` model: documents in, events out."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.errors import DocparseError, InternalError, LayoutUnavailable
from docparse.image_store import ImageStoreSettings, open_image_store
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.layout.wire import decode_boxes, encode_layout_options
from docparse.logs import log_to_stderr
from docparse.pipeline import DocumentPipeline
from docparse.protocol import decode_request, error_event
from docparse.runtime import Runtime
from docparse.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# How soon a client that left is noticed. The check is a function call; nothing announces it.
_CANCEL_CHECK_SECONDS = 0.05


class LayoutParsing:
    """The `layout-parsing` model: decoupled, every request a coroutine on one event loop."""

    def __init__(self) -> None:
        settings = Settings()
        log_to_stderr(settings.log_level)
        self._runtime = Runtime(settings, detect_by_bls, open_image_store(ImageStoreSettings()))

    async def execute(self, requests: list[Any]) -> None:
        """Answer every request; no request waits for another."""
        pipeline = await self._runtime.pipeline()
        await asyncio.gather(*(self._answer(pipeline, request) for request in requests))

    def close(self) -> None:
        """Release processes and connections."""
        self._runtime.close()

    async def _answer(self, pipeline: DocumentPipeline, request: Any) -> None:
        sender = request.get_response_sender()
        work = asyncio.create_task(_run(pipeline, request, sender))
        try:
            while not (await asyncio.wait({work}, timeout=_CANCEL_CHECK_SECONDS))[0]:
                if sender.is_cancelled():
                    work.cancel()
                    await asyncio.wait({work})
                    break
        finally:
            # Without the final flag the client would wait for ever.
            sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


async def _run(pipeline: DocumentPipeline, request: Any, sender: Any) -> None:
    def send(event: bytes) -> None:
        sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("event", np.array([event], dtype=object))]))

    started = time.monotonic()
    log_id = "?"
    try:
        options = decode_request(pb_utils.get_input_tensor_by_name(request, "options").as_numpy()[0])
        log_id = options.log_id
        document = pb_utils.get_input_tensor_by_name(request, "document").as_numpy()
        pages = await pipeline.parse(document, options, send)
        logger.info("logId=%s pages=%d seconds=%.2f", log_id, pages, time.monotonic() - started)
    except asyncio.CancelledError:
        logger.info("logId=%s cancelled after %.2f s", log_id, time.monotonic() - started)
        raise
    except DocparseError as error:
        seconds = time.monotonic() - started
        logger.info("logId=%s code=%s seconds=%.2f %s", log_id, error.code, seconds, error)
        send(error_event(error))
    except Exception:
        # The boundary of a document: an exception that left here would answer nobody and hang the client.
        logger.exception("logId=%s failed", log_id)
        send(
            error_event(InternalError("The document could not be parsed because of a fault in the service."))
        )


async def detect_by_bls(image: "NDArray[np.uint8]", options: LayoutOptions) -> list[LayoutBox]:
    """Regions of one page, from the batched `layout-detection` model.

    Raises:
        LayoutUnavailable: the model is not ready, or its engine is broken.
        PageFailure: the engine works, but not on this page.
    """
    call = pb_utils.InferenceRequest(
        model_name="layout-detection",
        requested_output_names=["boxes"],
        inputs=[
            pb_utils.Tensor("image", image[np.newaxis]),
            pb_utils.Tensor("options", np.array([[encode_layout_options(options)]], dtype=object)),
        ],
    )
    try:
        response = await call.async_exec()
    except pb_utils.TritonModelException as error:
        raise LayoutUnavailable("Layout detection is not available; try again later.") from error
    if response.has_error():
        logger.error("layout-detection: %s", response.error().message())
        raise LayoutUnavailable("Layout detection failed; try again later.")
    boxes = pb_utils.get_output_tensor_by_name(response, "boxes").as_numpy().reshape(-1)[0]
    return decode_boxes(boxes)
