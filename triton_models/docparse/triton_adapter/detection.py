"""The `layout-detection` model: pages in, regions out, a batch at a time."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.layout.detector import LayoutBox, LayoutDetector, LayoutOptions
from docparse.layout.wire import decode_layout_options, encode_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


def detect_batch(detector: LayoutDetector, requests: list[Any]) -> list[Any]:
    """One response per request of a dynamic batch; a page that fails is an error of its own."""
    pages = [pb_utils.get_input_tensor_by_name(request, "image").as_numpy()[0] for request in requests]
    options = [decode_layout_options(_text(request, "options")) for request in requests]
    try:
        results: list[Any] = list(detector.detect(pages, options))
    except Exception:  # one page can fail a batch: then each is tried alone
        logger.exception("layout detection of a batch of %d failed", len(pages))
        results = [_detect_alone(detector, page, option) for page, option in zip(pages, options, strict=True)]
    return [_boxes_response(result) for result in results]


def _detect_alone(
    detector: LayoutDetector, page: "NDArray[np.uint8]", options: LayoutOptions
) -> list[LayoutBox] | Exception:
    try:
        return detector.detect([page], [options])[0]
    except Exception as error:  # noqa: BLE001  becomes this page's error response
        return error


def _boxes_response(result: list[LayoutBox] | Exception) -> Any:
    if isinstance(result, Exception):
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"layout detection failed: {result!r}"))
    boxes = np.array([[encode_boxes(result)]], dtype=object)
    return pb_utils.InferenceResponse([pb_utils.Tensor("boxes", boxes)])


def _text(request: Any, name: str) -> bytes:
    value: bytes = pb_utils.get_input_tensor_by_name(request, name).as_numpy().reshape(-1)[0]
    return value
