"""What the simulators inside Triton are told, by environment: Triton starts them, not we."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.simulators.layout.costs import LayoutCosts

_SEED = "HPS_BENCH_SEED"
_FASTER = "HPS_BENCH_LAYOUT_FASTER"


@dataclass(frozen=True, slots=True)
class LayoutSimulation:
    """Seed of the regions, and by how much every time of the layout detector is divided."""

    seed: int = 0
    faster: float = 1.0

    @property
    def costs(self) -> LayoutCosts:
        """Of the detector, at this speed."""
        costs = LayoutCosts()
        return LayoutCosts(costs.batch_seconds / self.faster, costs.page_seconds / self.faster)

    def environment(self) -> dict[str, str]:
        """Variables that `from_environment` reads."""
        return {_SEED: str(self.seed), _FASTER: str(self.faster)}

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "LayoutSimulation":
        """As `environment` wrote it; defaults where it did not."""
        return cls(int(variables.get(_SEED, "0")), float(variables.get(_FASTER, "1")))
