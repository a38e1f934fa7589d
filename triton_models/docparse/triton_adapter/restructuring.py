"""The `restructure-pages` model: pages in, their new JSON out. Plain request and response, one at a time."""

import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from docparse.errors import DeadlineExceeded, DocparseError, InternalError
from docparse.image_store import OwnLinks
from docparse.logs import quote
from docparse.protocol import decode_restructure_request, error_event, result_message
from docparse.restructuring import restructure_pages

logger = logging.getLogger(__name__)

# What is imported late is imported for it too.
_PAGE: Mapping[str, Any] = {
    "prunedResult": {
        "width": 100,
        "height": 100,
        "model_settings": {},
        "parsing_res_list": [
            {
                "block_label": label,
                "block_content": "<table><tr><td>1</td></tr></table>",
                "block_bbox": [0, 0, 99, 49],
            }
            for label in ("table", "paragraph_title")
        ],
    }
}

# How soon a client that left, or a clock that ran out, ends the work.
_CHECK_SECONDS = 0.05


class _Stopped(BaseException):
    """The work is no longer wanted. Not an Exception, so that no boundary on the way takes it for a failure."""


def load() -> None:
    """Do now what a first request would wait for."""
    restructure_pages([_PAGE, _PAGE], {}, None)


def restructure(requests: list[Any], links: OwnLinks | None) -> list[Any]:
    """One response per request; what goes wrong is said in it, and never raised."""
    return [_answer(request, links) for request in requests]


def _answer(request: Any, links: OwnLinks | None) -> Any:
    started = time.monotonic()
    log_id = "?"
    try:
        asked = decode_restructure_request(
            pb_utils.get_input_tensor_by_name(request, "request").as_numpy().reshape(-1)[0]
        )
        log_id = quote(asked.log_id)
        ends = started + asked.timeout_seconds
        with _stopping_when(lambda: request.is_cancelled() or time.monotonic() > ends):
            message = result_message(restructure_pages(asked.pages, asked.options, links))
        logger.info("logId=%s pages=%d seconds=%.2f", log_id, len(asked.pages), time.monotonic() - started)
    except _Stopped:
        logger.info("logId=%s stopped after %.2f s", log_id, time.monotonic() - started)
        message = error_event(DeadlineExceeded("The pages were not restructured within the time limit."))
    except DocparseError as error:
        logger.info("logId=%s code=%s %s", log_id, error.code, error)
        message = error_event(error)
    except Exception:  # the boundary of a request
        logger.exception("logId=%s failed", log_id)
        message = error_event(InternalError("The pages could not be restructured."))
    return pb_utils.InferenceResponse([pb_utils.Tensor("result", np.array([message], dtype=object))])


@contextmanager
def _stopping_when(unwanted: Callable[[], bool]) -> Iterator[None]:
    """Break off the body soon after `unwanted()` holds. PaddleX's code has no place to ask, so a timer does.

    For the main thread, where Triton's stub runs a model that is neither decoupled nor async.
    """

    def check(number: int, frame: object) -> None:  # noqa: ARG001  a signal handler's signature
        if unwanted():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise _Stopped

    before = signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, _CHECK_SECONDS, _CHECK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
