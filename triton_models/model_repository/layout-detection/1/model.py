"""Triton's entry to layout detection."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH. `docparse` lies beside the model repository.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from docparse.layout.engines import load_detector
from docparse.layout.settings import LayoutSettings
from docparse.logs import log_to_stderr
from docparse.settings import Settings
from docparse.triton_adapter.detection import detect_batch


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Load the detector that HPS_LAYOUT_ENGINE names."""
        log_to_stderr(Settings().log_level)
        self._detector = load_detector(LayoutSettings())

    def execute(self, requests: list[Any]) -> list[Any]:
        """Detect the regions of a batch of pages."""
        return detect_batch(self._detector, requests)
