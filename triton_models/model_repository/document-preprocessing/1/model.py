"""Triton's entry to document preprocessing."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH. `docparse` lies beside the model repository.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from docparse.logs import log_to_stderr
from docparse.preprocessing.preprocessor import Preprocessor
from docparse.preprocessing.settings import PreprocessingSettings
from docparse.settings import Settings
from docparse.triton_adapter.preprocessing import preprocess_batch


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Load the models whose folders the settings name."""
        log_to_stderr(Settings().log_level)
        self._preprocessor = Preprocessor(PreprocessingSettings())

    def execute(self, requests: list[Any]) -> list[Any]:
        """Preprocess a batch of pages."""
        return preprocess_batch(self._preprocessor, requests)
