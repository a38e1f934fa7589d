"""Triton's entry to the simulated layout detection; stands in for the product's model of this name."""

import sys
from pathlib import Path
from typing import Any

# Triton's interpreter is isolated: no PYTHONPATH.
_ROOT = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(_ROOT), str(_ROOT / "triton_models")]

from benchmarks.simulators.layout.costs import DetectorClock
from benchmarks.simulators.layout.detector import SimulatedDetector
from benchmarks.simulators.settings import LayoutSimulation
from docparse.triton_adapter.detection import detect_batch


class TritonPythonModel:
    """The interface that Triton's Python backend calls."""

    def initialize(self, args: dict[str, str]) -> None:  # noqa: ARG002  Triton's signature
        """Make the detector."""
        simulation = LayoutSimulation.from_environment()
        self._detector = SimulatedDetector(DetectorClock(simulation.costs), simulation.seed)

    def execute(self, requests: list[Any]) -> list[Any]:
        """Regions of a batch of pages, by the product's own adapter."""
        return detect_batch(self._detector, requests)
