"""`make bench`: flow and speed against a reference-style service; prints a table and writes benchmarks/results/."""

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.measure.processes import MachineLoad
from benchmarks.parts.all import PARTS
from benchmarks.parts.part import Effort, Part, PartResult, Workbench
from benchmarks.promises import find_broken
from benchmarks.report import RESULTS, describe_machine, render_table, write_result
from benchmarks.simulators.layout.costs import LayoutCosts
from benchmarks.simulators.vlm.costs import VlmCosts
from benchmarks.stack.services import Services, running_pipelines, running_stand_ins
from deploy.local.process import exit_on_sigterm


def main() -> int:
    """Run the parts; 0 when no promise is broken."""
    arguments = _parse_arguments()
    exit_on_sigterm()
    parts = [part for part in PARTS if not arguments.only or part.name in arguments.only]
    effort = Effort(arguments.repeats, arguments.seconds, arguments.soak_requests, arguments.long_pages)
    began = time.monotonic()
    result: dict[str, Any] = {
        "machine": describe_machine(),
        "simulators": {"vlm": VlmCosts().described(), "layout": _layout_costs()},
        "effort": {"repeats": effort.repeats, "seconds": effort.seconds},
        "parts": {},
        "series": {},
        "measured": [],
    }
    with tempfile.TemporaryDirectory(prefix="hps-bench-") as name:
        measured = []
        for outcome in _run_all(parts, effort, Path(name), result["parts"]):
            measured += outcome.measured
            result["series"].update(outcome.series)
    result["measured"] = [each.to_json() for each in measured]
    result["seconds"] = round(time.monotonic() - began, 1)
    path = write_result(result, arguments.output)
    print(f"\n{render_table(measured)}\n\n{result['seconds']:.0f} s; wrote {path}")
    broken = find_broken(measured)
    for promise in broken:
        print(f"broken: {promise.what}")
    return 1 if broken else 0


def _run_all(
    parts: Sequence[Part], effort: Effort, folder: Path, notes: dict[str, Any]
) -> "list[PartResult]":
    results: list[PartResult] = []
    for number, (needs, group) in enumerate(itertools.groupby(parts, lambda part: part.needs)):
        with ExitStack() as stack:
            services: Services | None = None
            if needs == "pipelines":
                services = stack.enter_context(
                    running_pipelines(folder / f"services-{number}", baseline=True)
                )
            elif needs == "stand-ins":
                services = stack.enter_context(running_stand_ins(folder / f"services-{number}"))
            results += [_run_part(part, effort, folder, services, notes) for part in group]
    return results


def _run_part(
    part: Part, effort: Effort, folder: Path, services: Services | None, notes: dict[str, Any]
) -> PartResult:
    print(f"{part.name}", flush=True)
    began = time.monotonic()
    load = MachineLoad(_own_pids(services))
    result = asyncio.run(
        part.run(Workbench(folder, services, effort, lambda line: print(f"  {line}", flush=True)))
    )
    notes[part.name] = {"seconds": round(time.monotonic() - began, 1)}
    if services is not None:  # parts with services of their own have ended them by now
        notes[part.name]["cores_busy_with_others"] = load.foreign_cores()
    print(f"  ({', '.join(f'{name} {value}' for name, value in notes[part.name].items())})", flush=True)
    return result


def _own_pids(services: Services | None) -> list[int]:
    pids = [os.getpid()]
    if services is not None:
        pids += [process.pid for processes in services.roles().values() for process in processes]
        pids += [services.vlm.pid]
    return pids


def _layout_costs() -> dict[str, float]:
    costs = LayoutCosts()
    return {"batch_seconds": costs.batch_seconds, "page_seconds": costs.page_seconds}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    names = [part.name for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="PART", help=f"of: {', '.join(names)}")
    effort = Effort()
    parser.add_argument("--repeats", type=int, default=effort.repeats, help="turns of each pair")
    parser.add_argument("--seconds", type=float, default=effort.seconds, help="factor on every span")
    parser.add_argument("--soak-requests", type=int, default=effort.soak_requests)
    parser.add_argument("--long-pages", type=int, default=effort.long_pages, help="of the longest PDF")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the result file")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
