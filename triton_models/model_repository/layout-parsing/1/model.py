"""Triton's entry to the document pipeline."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH. `docparse` lies beside the model repository.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from docparse.triton_adapter.parsing import LayoutParsing


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Read the settings and start the render workers."""
        self._model = LayoutParsing()

    async def execute(self, requests: list[Any]) -> None:
        """Answer documents; returns when all of them are answered."""
        await self._model.execute(requests)

    def finalize(self) -> None:
        """End what `initialize` started."""
        self._model.close()
