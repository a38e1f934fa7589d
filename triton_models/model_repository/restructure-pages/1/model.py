"""Triton's entry to the restructuring of pages."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH. `docparse` lies beside the model repository.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from docparse.image_store import ImageStoreSettings, own_links
from docparse.logs import log_to_stderr
from docparse.settings import Settings
from docparse.triton_adapter.restructuring import load, restructure


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Load PaddleX's code, for which the first request would wait some seconds."""
        log_to_stderr(Settings().log_level)
        load()
        self._links = own_links(ImageStoreSettings())

    def execute(self, requests: list[Any]) -> list[Any]:
        """Restructure the pages of each request."""
        return restructure(requests, self._links)
