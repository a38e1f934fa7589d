"""Triton's entry to layout detection."""

from typing import Any

from docparse.layout import load_detector
from docparse.logs import log_to_stderr
from docparse.settings import Settings
from docparse.triton_adapter.detection import detect_batch


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Load the detector that HPS_LAYOUT_ENGINE names."""
        settings = Settings()
        log_to_stderr(settings.log_level)
        self._detector = load_detector(settings)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Detect the regions of a batch of pages."""
        return detect_batch(self._detector, requests)
