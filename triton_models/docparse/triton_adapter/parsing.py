"""The `layout-parsing` model: documents in, events out."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.departures import Departures
from docparse.errors import (
    DocparseError,
    InternalError,
    LayoutUnavailable,
    PreprocessingUnavailable,
)
from docparse.image_store import ImageStoreSettings, open_image_store
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.layout.wire import decode_boxes, encode_layout_options, encode_page_reference
from docparse.logs import log_to_stderr
from docparse.paddlex_forms import rotate
from docparse.page_memory import reference_of
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

# How long a stream is silent at most. Triton never ends the streams of a process that has died, so their clients know
# by the silence.
_ALIVE_SECONDS = 2.0

# For work that is not of a page: files written, whole documents put together.
_OTHER_THREADS = 8

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
        self._calls = settings.layout_max_concurrency
        self._departures = Departures()
        self._watchdog: asyncio.Task[None] | None = None

    async def execute(self, requests: list[Any]) -> None:
        """Answer every request; no request waits for another."""
        if self._watchdog is None:
            # A call of another model waits for its answer on a thread of these. There would be four and one for each
            # CPU: on a small host fewer than the calls that fill a batch.
            executor = ThreadPoolExecutor(self._calls + _OTHER_THREADS, thread_name_prefix="calls")
            asyncio.get_running_loop().set_default_executor(executor)
            self._watchdog = asyncio.create_task(watch_event_loop(_HANG_SECONDS))
        pipeline = await self._runtime.pipeline()
        await asyncio.gather(*(self._answer(pipeline, request) for request in requests))

    def close(self) -> None:
        """Release processes and connections."""
        self._runtime.close()
        self._departures.close()

    async def _answer(self, pipeline: DocumentPipeline, request: Any) -> None:
        stream = _Stream(request.get_response_sender())
        work = asyncio.create_task(_run(pipeline, request, stream.send))
        try:
            with self._departures.watch(stream, work):
                while not (await asyncio.wait({work}, timeout=_ALIVE_SECONDS / 4))[0]:
                    stream.break_silence()
        finally:
            # Without it the client would wait for ever.
            stream.end()


class _Stream:
    """The events of one document."""

    def __init__(self, sender: Any) -> None:
        self._sender = sender
        self._sent_at = time.monotonic()
        self._ending = threading.Lock()
        self._ended = False

    def send(self, event: bytes) -> None:
        tensor = pb_utils.Tensor("event", np.array([event], dtype=object))
        self._sender.send(pb_utils.InferenceResponse([tensor]))
        self._sent_at = time.monotonic()

    def break_silence(self) -> None:
        """Say that the document is still in work, if nothing was said for long."""
        if time.monotonic() - self._sent_at > _ALIVE_SECONDS:
            self.send(alive_event())

    def is_unwanted(self) -> bool:
        """Whether the client has left. Asks the server's process, and waits for its answer."""
        with self._ending:  # after the end the server has nothing left to look at
            return not self._ended and bool(self._sender.is_cancelled())

    def end(self) -> None:
        """Send the final flag."""
        with self._ending:
            self._ended = True
            self._sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


async def _run(pipeline: DocumentPipeline, request: Any, send: Send) -> None:
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
    reference = reference_of(image)
    outputs = await _call_model(
        "layout-detection",
        # By reference where other processes can see it. `image` is held until the answer is there.
        _image_tensor(image) if reference is None else _text_tensor("page", encode_page_reference(reference)),
        encode_layout_options(options),
        ["boxes"],
        LayoutUnavailable,
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
        _image_tensor(image),
        encode_preprocessing_options(options),
        ["page", "result"],
        PreprocessingUnavailable,
    )
    angle = decode_angle(outputs["result"].reshape(-1)[0])
    if options.unwarping:
        return Preprocessed(angle, outputs["page"][0])
    return Preprocessed(angle, await asyncio.to_thread(rotate, image, angle))


def _image_tensor(image: "NDArray[np.uint8]") -> Any:
    return pb_utils.Tensor("image", image[np.newaxis])


def _text_tensor(name: str, text: bytes) -> Any:
    return pb_utils.Tensor(name, np.array([[text]], dtype=object))


async def _call_model(
    model: str,
    page: Any,
    options: bytes,
    outputs: Sequence[str],
    unavailable: type[DocparseError],
) -> "dict[str, NDArray[Any]]":
    """Outputs of another model of this server for one page, which is its first input.

    Raises:
        unavailable: it is not ready, or broken.
    """
    call = pb_utils.InferenceRequest(
        model_name=model,
        requested_output_names=list(outputs),
        inputs=[page, _text_tensor("options", options)],
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
