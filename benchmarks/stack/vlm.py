"""The simulated VLM as a process, and what it counted."""

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stack.processes import running_server
from deploy.local.settings import free_ports


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters of the engine at one time; see `benchmarks.simulators.vlm.engine.Counters`."""

    values: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def since(self, before: "Snapshot") -> dict[str, float]:
        """What was counted between the two; `seconds` passed."""
        counted = {
            name: self.values[name] - before.values[name]
            for name in self.values
            if isinstance(self.values[name], int | float) and name not in ("running", "waiting")
        }
        counted["seconds"] = counted.pop("at_seconds")
        return counted


def busy_fraction(counted: dict[str, float]) -> float:
    """Work done over work possible, between two snapshots; 1 is a batch that was always full."""
    return counted["work_seconds"] / counted["seconds"]


@dataclass(frozen=True, slots=True)
class SimulatedVlm:
    """A running server."""

    url: str
    pid: int

    def snapshot(self) -> Snapshot:
        """Its counters now."""
        with urllib.request.urlopen(f"{self.url}/simulator/counters", timeout=10) as response:
            return Snapshot(json.load(response))


@contextmanager
def running_vlm(
    log: Path, *, seed: int = 0, faster: float = 1.0, places: int | None = None
) -> Iterator[SimulatedVlm]:
    """A simulated VLM on a free port; `faster` divides every time of its device, `places` are its sequences."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    arguments = ["--port", str(port), "--seed", str(seed), "--faster", str(faster)]
    if places is not None:
        arguments += ["--sequences", str(places)]
    with running_server(
        "benchmarks.simulators.vlm", arguments, f"{url}/health", log, dict(os.environ)
    ) as process:
        yield SimulatedVlm(url, process.pid)
