"""A stand-in for the product's pipeline: takes the document and answers a page."""

import asyncio
import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH.
sys.path[:0] = [str(Path(__file__).resolve().parents[4])]

import numpy as np
import orjson
import triton_python_backend_utils as pb_utils

from benchmarks.simulators.stand_in import held_seconds, product_events


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Make the answer."""
        self._events = product_events()

    async def execute(self, requests: list[Any]) -> None:
        """Answer each request."""
        await asyncio.gather(*map(self._answer, requests))

    async def _answer(self, request: Any) -> None:
        sender = request.get_response_sender()
        pb_utils.get_input_tensor_by_name(request, "document").as_numpy()
        options = pb_utils.get_input_tensor_by_name(request, "options").as_numpy()[0]
        await asyncio.sleep(held_seconds(orjson.loads(options)["logId"]))
        for event in self._events:
            tensor = pb_utils.Tensor("event", np.array([event], dtype=object))
            sender.send(pb_utils.InferenceResponse([tensor]))
        sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
