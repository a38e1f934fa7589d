"""The result of a run as a table and as a file."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.promises import PROMISES, Measured, find_broken

_ROOT = Path(__file__).resolve().parents[1]
RESULTS = _ROOT / "benchmarks" / "results"


def render_table(measured: Iterable[Measured]) -> str:
    """A Markdown table in the order of the promises; what was not measured is left out."""
    by_key = {each.key: each for each in measured}
    broken = {promise.key for promise in find_broken(by_key.values())}
    rows = [("what", "promise", "measured", "product", "baseline", "kept")]
    for promise in PROMISES:
        each = by_key.get(promise.key)
        if each is None:
            continue
        bound = f"{'≥' if promise.kind == 'least' else '≤'} {_number(promise.bound)}"
        kept = "" if promise.kind == "shown" else "**no**" if promise.key in broken else "yes"
        rows.append(
            (
                promise.what + (f" ({each.note})" if each.note else ""),
                "not compared" if promise.kind == "shown" else bound,
                _number(each.value),
                _figure(each.product, each.unit),
                _figure(each.baseline, each.unit),
                kept,
            )
        )
    return "\n".join([_line(rows[0]), _line(["---"] * len(rows[0])), *map(_line, rows[1:])])


def write_result(result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """The file of this run; nothing is overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def describe_machine() -> dict[str, Any]:
    """What a reader of the file should know of where it was made."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "python": platform.python_version(),
        "commit": _commit(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout.strip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{_number(value)} {unit}".strip()


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
