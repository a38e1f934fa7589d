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
from docparse.warming import warm_up_detector


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Load the detector that HPS_LAYOUT_ENGINE names, and let it see a page."""
        log_to_stderr(Settings().log_level)
        settings = LayoutSettings()
        self._detector = load_detector(settings)
        # On a GPU the engine makes its memory for a whole batch; on a CPU that is only time.
        warm_up_detector(self._detector, settings.layout_batch_size if "gpu" in settings.layout_device else 1)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Detect the regions of a batch of pages."""
        return detect_batch(self._detector, requests)
