"""A stand-in for the baseline's pipeline: takes the JSON and answers a page."""

import sys
import time
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH.
sys.path[:0] = [str(Path(__file__).resolve().parents[4])]

import numpy as np
import orjson
import triton_python_backend_utils as pb_utils

from benchmarks.simulators.stand_in import held_seconds, reference_answer


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Make the answer."""
        self._answer = reference_answer()

    def execute(self, requests: list[Any]) -> list[Any]:
        """One response per request."""
        texts = [pb_utils.get_input_tensor_by_name(each, "input").as_numpy()[0, 0] for each in requests]
        time.sleep(max(held_seconds(orjson.loads(text)["logId"]) for text in texts))
        tensor = np.array([[self._answer]], dtype=np.object_)
        return [pb_utils.InferenceResponse([pb_utils.Tensor("output", tensor)]) for _ in requests]
