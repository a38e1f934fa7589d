"""The `layout-detection` model: pages in, regions out, a batch at a time."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.layout.detector import LayoutDetector, LayoutOptions
from docparse.layout.wire import PAGE_FAILED, decode_layout_options, decode_page_reference, encode_boxes
from docparse.page_memory import open_page
from docparse.watchdog import watching

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# A batch takes seconds on a slow CPU.
_HANG_SECONDS = 300.0


def detect_batch(detector: LayoutDetector, requests: list[Any]) -> list[Any]:
    """One response per request of a dynamic batch; what is wrong with one is no other's business."""
    with watching(_HANG_SECONDS):
        return _detect_batch(detector, requests)


def _detect_batch(detector: LayoutDetector, requests: list[Any]) -> list[Any]:
    try:
        pages, options = zip(*map(_read, requests), strict=True)
        return [_response(encode_boxes(boxes)) for boxes in detector.detect(pages, options)]
    except Exception:  # one page can fail a batch: then each is tried alone
        logger.exception("layout detection of a batch of %d failed", len(requests))
        return [_detect_alone(detector, request) for request in requests]


def _detect_alone(detector: LayoutDetector, request: Any) -> Any:
    try:
        page, options = _read(request)
    except Exception as error:  # noqa: BLE001  becomes this request's error response
        return _refusal(f"the request cannot be read: {error!r}", pb_utils.TritonError.INVALID_ARG)
    try:
        return _response(encode_boxes(detector.detect([page], [options])[0]))
    except Exception as error:
        if not _works(detector):
            return _refusal(f"layout detection failed: {error!r}", pb_utils.TritonError.INTERNAL)
        logger.exception("a page of shape %s cannot be laid out", page.shape)
        return _response(PAGE_FAILED)


def _works(detector: LayoutDetector) -> bool:
    """Whether a blank page can be laid out, that is, whether a failure was the page's or the engine's."""
    try:
        detector.detect([np.full((64, 64, 3), 255, np.uint8)], [LayoutOptions()])
    except Exception:
        logger.exception("the layout engine is broken")
        return False
    return True


def _read(request: Any) -> "tuple[NDArray[np.uint8], LayoutOptions]":
    options = decode_layout_options(_text(request, "options"))
    if pb_utils.get_input_tensor_by_name(request, "page") is not None:
        return open_page(decode_page_reference(_text(request, "page"))), options
    image = pb_utils.get_input_tensor_by_name(request, "image")
    if image is None:
        raise ValueError("neither `image` nor `page` is there")
    return image.as_numpy()[0], options


def _response(boxes: bytes) -> Any:
    return pb_utils.InferenceResponse([pb_utils.Tensor("boxes", np.array([[boxes]], dtype=object))])


def _refusal(message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))


def _text(request: Any, name: str) -> bytes:
    value: bytes = pb_utils.get_input_tensor_by_name(request, name).as_numpy().reshape(-1)[0]
    return value
