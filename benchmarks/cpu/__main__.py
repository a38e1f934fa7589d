"""`make bench-cpu`: speed and memory of the CPU stack; prints a table and writes benchmarks/results/."""

import argparse
import datetime
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.cpu.memory import peak_with_pages
from benchmarks.cpu.speed import compare_pages
from deploy.local.process import exit_on_sigterm, running_stack

RESULTS = Path(__file__).resolve().parents[1] / "results"

# What the project promises; the benchmark says whether it holds and fails if not.
MOST_TIME_RATIO = 1.3
MOST_MEMORY_RATIO = 1.3


def main() -> int:
    """Run both parts; 0 when every ratio is within its promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs=2, default=(5, 100), help="lengths that are compared")
    short, long = parser.parse_args().pages
    exit_on_sigterm()
    comparisons = []
    with tempfile.TemporaryDirectory(prefix="hps-bench-") as name:
        folder = Path(name)
        print(
            f"{'page':<12} {'direct s':>9} {'stack s':>9} {'ratio':>6}   (at most {MOST_TIME_RATIO})",
            flush=True,
        )
        with running_stack(folder / "speed.log") as stack:
            for each in compare_pages(stack, folder):
                comparisons.append(each)
                seconds = f"{each.direct_seconds:>9.2f} {each.stack_seconds:>9.2f}"
                print(f"{each.page:<12} {seconds} {each.ratio:>6.2f}", flush=True)
        peaks = {pages: peak_with_pages(pages, folder / f"memory-{pages}.log") for pages in (short, long)}
    memory_ratio = peaks[long] / peaks[short]
    print(f"\n{'pages':<12} {'peak MB':>9}   (ratio at most {MOST_MEMORY_RATIO})")
    for pages, peak in peaks.items():
        print(f"{pages:<12} {peak / 1e6:>9.0f}")
    print(f"{'ratio':<12} {memory_ratio:>9.2f}")
    result = {
        "cores": len(os.sched_getaffinity(0)),
        "speed": [{**asdict(each), "ratio": each.ratio} for each in comparisons],
        "peak_bytes_by_pages": peaks,
        "memory_ratio": memory_ratio,
    }
    RESULTS.mkdir(exist_ok=True)
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H%M%S")
    (RESULTS / f"cpu-{date}.json").write_text(json.dumps(result, indent=1) + "\n")
    kept = memory_ratio <= MOST_MEMORY_RATIO and all(each.ratio <= MOST_TIME_RATIO for each in comparisons)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
