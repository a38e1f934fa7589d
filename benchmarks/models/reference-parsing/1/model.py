"""Triton's entry to the baseline."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH.
_ROOT = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(_ROOT)]

from benchmarks.reference.model import ReferenceModel


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Build the pipeline."""
        self._model = ReferenceModel()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer a batch of requests, all of them when the last is done."""
        return self._model.execute(requests)
