"""A page through the whole stack against the engines called directly, in turns."""

import base64
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from deploy.local.process import RunningStack

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Median seconds of one page, both ways."""

    page: str
    direct_seconds: float
    stack_seconds: float

    @property
    def ratio(self) -> float:
        """Stack over direct; the target is at most 1.3."""
        return self.stack_seconds / self.direct_seconds


def compare_pages(stack: RunningStack, folder: Path) -> Iterator[Comparison]:
    """Time each example page both ways, turn by turn so that both meet the same machine."""
    pages = _page_files(folder)
    command = [sys.executable, "-m", "benchmarks.cpu.direct", str(len(os.sched_getaffinity(0)))]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as direct:
        for name, path in pages.items():
            _time_direct(direct, path)
            _time_stack(stack, path)
            turns = [(_time_direct(direct, path), _time_stack(stack, path)) for _ in range(REPEATS)]
            yield Comparison(name, *(statistics.median(times) for times in zip(*turns, strict=True)))


def _page_files(folder: Path) -> dict[str, Path]:
    paper = folder / "paper.png"
    document = pypdfium2.PdfDocument(ROOT / "examples" / "paper.pdf")
    document[0].render(scale=2.0).to_pil().save(paper)
    document.close()
    return {
        "two-column": paper,
        "invoice": ROOT / "examples" / "invoice.png",
        "chinese": ROOT / "examples" / "chinese.png",
    }


def _time_direct(direct: "subprocess.Popen[str]", path: Path) -> float:
    if direct.stdin is None or direct.stdout is None:
        raise RuntimeError("the direct engines have no pipes")
    direct.stdin.write(f"{path}\n")
    direct.stdin.flush()
    return float(direct.stdout.readline())


def _time_stack(stack: RunningStack, path: Path) -> float:
    body = json.dumps({"file": base64.b64encode(path.read_bytes()).decode()}).encode()
    request = urllib.request.Request(
        f"{stack.url}/layout-parsing", body, {"Content-Type": "application/json"}
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as response:
        response.read()
    return time.perf_counter() - started
