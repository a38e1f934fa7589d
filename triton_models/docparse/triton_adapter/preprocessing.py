"""The `document-preprocessing` model: pages in, pages out, a batch at a time."""

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.preprocessing.page import Preprocessed, PreprocessingOptions
from docparse.preprocessing.preprocessor import Preprocessor
from docparse.preprocessing.wire import PAGE_FAILED, decode_preprocessing_options, encode_angle

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# In the place of a page that is not sent back.
_NO_PAGE = np.zeros((1, 1, 3), np.uint8)


def preprocess_batch(preprocessor: Preprocessor, requests: list[Any]) -> list[Any]:
    """One response per request of a dynamic batch; what is wrong with one is no other's business."""
    try:
        pages, options = zip(*map(_read, requests), strict=True)
        done = preprocessor.preprocess(pages, options)
        return [_response(page, asked) for page, asked in zip(done, options, strict=True)]
    except Exception:  # one page can fail a batch: then each is tried alone
        logger.exception("preprocessing of a batch of %d failed", len(requests))
        return [_preprocess_alone(preprocessor, request) for request in requests]


def _preprocess_alone(preprocessor: Preprocessor, request: Any) -> Any:
    try:
        page, options = _read(request)
    except Exception as error:  # noqa: BLE001  becomes this request's error response
        return _refusal(f"the request cannot be read: {error!r}", pb_utils.TritonError.INVALID_ARG)
    try:
        (done,) = preprocessor.preprocess([page], [options])
        return _response(done, options)
    except Exception as error:
        if not _works(preprocessor):
            return _refusal(f"preprocessing failed: {error!r}", pb_utils.TritonError.INTERNAL)
        logger.exception("a page of shape %s cannot be preprocessed", page.shape)
        return _answer(_NO_PAGE, PAGE_FAILED)


def _works(preprocessor: Preprocessor) -> bool:
    """Whether a blank page can be preprocessed, that is, whether a failure was the page's or a model's."""
    try:
        preprocessor.preprocess([np.full((64, 64, 3), 255, np.uint8)], [preprocessor.everything])
    except Exception:
        logger.exception("document preprocessing is broken")
        return False
    return True


def _read(request: Any) -> "tuple[NDArray[np.uint8], PreprocessingOptions]":
    image = pb_utils.get_input_tensor_by_name(request, "image").as_numpy()[0]
    raw = pb_utils.get_input_tensor_by_name(request, "options").as_numpy().reshape(-1)[0]
    return image, decode_preprocessing_options(raw)


def _response(done: Preprocessed, asked: PreprocessingOptions) -> Any:
    # A page that is only turned is turned once more by whoever asked, which is cheaper than sending it.
    return _answer(done.image if asked.unwarping else _NO_PAGE, encode_angle(done.angle))


def _answer(image: "NDArray[np.uint8]", result: bytes) -> Any:
    return pb_utils.InferenceResponse(
        [
            pb_utils.Tensor("page", np.ascontiguousarray(image)[np.newaxis]),
            pb_utils.Tensor("result", np.array([[result]], dtype=object)),
        ]
    )


def _refusal(message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
