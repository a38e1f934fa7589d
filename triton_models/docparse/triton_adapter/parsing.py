"""The `layout-parsing` model: documents in, events out."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.errors import (
    DocparseError,
    InternalError,
    LayoutUnavailable,
    PreprocessingUnavailable,
)
from docparse.image_store import ImageStoreSettings, open_image_store
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.layout.wire import decode_boxes, encode_layout_options
from docparse.logs import log_to_stderr, quote
from docparse.paddlex_forms import rotate
from docparse.parse_defaults import ParseDefaults
from docparse.pipeline import DocumentPipeline, Send
from docparse.pipeline_config import read_pipeline_config
from docparse.pipeline_config.settings import PipelineFileSettings
from docparse.preprocessing import Preprocessed, PreprocessingOptions, PreprocessingSettings
from docparse.preprocessing.wire import decode_angle, encode_preprocessing_options
from docparse.protocol import alive_event, decode_request, error_event
from docparse.runtime import Runtime
from docparse.settings import Settings
from docparse.watchdog import watch_event_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# How soon a client that left is noticed. The check is a function call; nothing announces it.
_CANCEL_CHECK_SECONDS = 0.05

# How long a stream is silent at most. Triton never ends the streams of a process that has died, so their clients know
# by the silence.
_ALIVE_SECONDS = 2.0

# Nothing on the event loop takes a second; a loop that stands still for so long will not move again.
_HANG_SECONDS = 60.0


class LayoutParsing:
    """The `layout-parsing` model: decoupled, every request a coroutine on one event loop."""

    def __init__(self) -> None:
        settings = Settings()
        log_to_stderr(settings.log_level)
        preprocessing = PreprocessingSettings()
        config = read_pipeline_config(PipelineFileSettings().pipeline_config)
        self._runtime = Runtime(
            settings,
            detect_by_bls,
            open_image_store(ImageStoreSettings()),
            preprocess_by_bls,
            ParseDefaults.of(config, preprocessing),
        )
        self._watchdog: asyncio.Task[None] | None = None

    async def execute(self, requests: list[Any]) -> None:
        """Answer every request; no request waits for another."""
        if self._watchdog is None:
            self._watchdog = asyncio.create_task(watch_event_loop(_HANG_SECONDS))
        pipeline = await self._runtime.pipeline()
        await asyncio.gather(*(self._answer(pipeline, request) for request in requests))

    def close(self) -> None:
        """Release processes and connections."""
        self._runtime.close()

    async def _answer(self, pipeline: DocumentPipeline, request: Any) -> None:
        events = _Events(request.get_response_sender())
        work = asyncio.create_task(_run(pipeline, request, events.send))
        try:
            while not (await asyncio.wait({work}, timeout=_CANCEL_CHECK_SECONDS))[0]:
                if events.are_unwanted():
                    work.cancel()
                    await asyncio.wait({work})
                    break
                events.break_silence()
        finally:
            try:
                # Whatever ended the watch over it, nobody would end it any more.
                work.cancel()
                await asyncio.wait({work})
            finally:
                # Without it the client would wait for ever.
                events.end()


class _Events:
    """The stream of one document."""

    def __init__(self, sender: Any) -> None:
        self._sender = sender
        self._sent_at = time.monotonic()

    def send(self, event: bytes) -> None:
        tensor = pb_utils.Tensor("event", np.array([event], dtype=object))
        self._sender.send(pb_utils.InferenceResponse([tensor]))
        self._sent_at = time.monotonic()

    def break_silence(self) -> None:
        """Say that the document is still in work, if nothing was said for long."""
        if time.monotonic() - self._sent_at > _ALIVE_SECONDS:
            self.send(alive_event())

    def are_unwanted(self) -> bool:
        """Whether the client has left."""
        return bool(self._sender.is_cancelled())

    def end(self) -> None:
        """Send the final flag."""
        self._sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


async def _run(pipeline: DocumentPipeline, request: Any, send: Send) -> None:
    started = time.monotonic()
    log_id = "?"
    try:
        options = decode_request(pb_utils.get_input_tensor_by_name(request, "options").as_numpy()[0])
        log_id = quote(options.log_id)
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
    outputs = await _call_model(
        "layout-detection", image, encode_layout_options(options), ["boxes"], LayoutUnavailable
    )
    return decode_boxes(outputs["boxes"].reshape(-1)[0])


async def preprocess_by_bls(image: "NDArray[np.uint8]", options: PreprocessingOptions) -> Preprocessed:
    """One page upright and flat, from the batched `document-preprocessing` model.

    Raises:
        PreprocessingUnavailable: the model is not ready, or broken.
        PageFailure: it works, but not on this page.
    """
    outputs = await _call_model(
        "document-preprocessing",
        image,
        encode_preprocessing_options(options),
        ["page", "result"],
        PreprocessingUnavailable,
    )
    angle = decode_angle(outputs["result"].reshape(-1)[0])
    if options.unwarping:
        return Preprocessed(angle, outputs["page"][0])
    return Preprocessed(angle, await asyncio.to_thread(rotate, image, angle))


async def _call_model(
    model: str,
    image: "NDArray[np.uint8]",
    options: bytes,
    outputs: Sequence[str],
    unavailable: type[DocparseError],
) -> "dict[str, NDArray[Any]]":
    """Outputs of another model of this server for one page.

    Raises:
        unavailable: it is not ready, or broken.
    """
    call = pb_utils.InferenceRequest(
        model_name=model,
        requested_output_names=list(outputs),
        inputs=[
            pb_utils.Tensor("image", image[np.newaxis]),
            pb_utils.Tensor("options", np.array([[options]], dtype=object)),
        ],
    )
    try:
        response = await call.async_exec()
    except pb_utils.TritonModelException as error:
        raise unavailable(f"The model {model} is not available; try again later.") from error
    if response.has_error():
        logger.error("%s: %s", model, response.error().message())
        raise unavailable(f"The model {model} failed; try again later.")
    # Copies: the response's memory is Triton's again once it is gone.
    return {name: pb_utils.get_output_tensor_by_name(response, name).as_numpy().copy() for name in outputs}
