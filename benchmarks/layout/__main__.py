"""`make bench-layout`: pages a second of the layout engine at real size; prints a table, writes benchmarks/results/."""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from docparse.layout.detector import LayoutOptions
from docparse.layout.paddlex import PaddlexDetector
from docparse.paddlex_models import ModelPlace

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
BUILT = ROOT / ".bench" / "PP-DocLayoutV2"
BATCHES = (1, 8)

NO_MODEL = """No model to measure in {folder}. Either name a folder with the real one:
  make bench-layout MODEL=models/PP-DocLayoutV2
or build one of the same size with random weights, which takes the same time (installs torch once, over 1 GB):
  make bench-layout-model"""
NO_GPU = "No GPU was measured: {reason}."


@dataclass(frozen=True, slots=True)
class Measurement:
    """Of one device and batch size; medians over the rounds.

    Attributes:
        cpu_seconds_per_page: of all threads; other work on the machine hardly changes it.
    """

    device: str
    device_name: str
    batch: int
    seconds: float
    pages_per_second: float
    cpu_seconds_per_page: float


def measure(place: ModelPlace, device_name: str, rounds: int, pages: list[np.ndarray]) -> list[Measurement]:
    """From the page's pixels to its regions: scaling, network, what follows it."""
    defaults = LayoutOptions(threshold=0.5, nms=True, unclip_ratio=(1.0, 1.0), merge_bboxes_mode="union")
    detector = PaddlexDetector(place, defaults, batch_size=max(BATCHES))
    found = []
    for batch in BATCHES:
        options = [LayoutOptions()] * batch
        detector.detect(pages[:batch], options)  # the first run allocates
        seconds, cpu_seconds = [], []
        for _ in range(rounds):
            started, cpu_started = time.perf_counter(), time.process_time()
            detector.detect(pages[:batch], options)
            seconds.append(time.perf_counter() - started)
            cpu_seconds.append((time.process_time() - cpu_started) / batch)
        median, cpu = statistics.median(seconds), statistics.median(cpu_seconds)
        found.append(Measurement(place.device, device_name, batch, median, batch / median, cpu))
        row = f"{place.device:<7} {batch:>5} {median:>9.3f} {batch / median:>9.2f} {cpu:>11.2f}"
        print(f"{row}   {device_name}", flush=True)
    return found


def example_pages() -> list[np.ndarray]:
    """Eight pages of A4 at 144 dpi, the examples over and over."""
    names = ("invoice.png", "chinese.png", "scan.jpg")
    pages = [cv2.imread(str(ROOT / "examples" / names[n % len(names)])) for n in range(max(BATCHES))]
    return [cv2.resize(page, (1190, 1684)) for page in pages]


def cpu_name() -> str:
    """As the kernel has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return "unknown CPU"


def find_gpu() -> tuple[str | None, str]:
    """The first GPU's name; without one, why not."""
    try:
        asked = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None, "nvidia-smi finds none here"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return None, "the ONNX Runtime that is installed has no CUDA (onnxruntime-gpu has)"
    return asked.stdout.splitlines()[0], ""


def main() -> int:
    """Measure every device there is; 2 without a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model-dir", type=Path, default=BUILT, help="PaddleX's ONNX model of PP-DocLayoutV2"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each batch size, after one to warm up")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="on the CPU")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the numbers")
    arguments = parser.parse_args()
    if not (arguments.model_dir / "inference.onnx").is_file():
        print(NO_MODEL.format(folder=arguments.model_dir))
        return 2
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
    pages = example_pages()
    gpu, reason = find_gpu()
    print(f"{'device':<7} {'batch':>5} {'s/batch':>9} {'pages/s':>9} {'CPU s/page':>11}   name", flush=True)
    place = ModelPlace("PP-DocLayoutV2", arguments.model_dir, threads=arguments.threads)
    name = f"{cpu_name()}, {arguments.threads} threads"
    found = measure(place, name, arguments.rounds, pages)
    if gpu is None:
        print(NO_GPU.format(reason=reason))
    else:
        found += measure(replace(place, device="gpu:0"), gpu, arguments.rounds, pages)
    arguments.results.mkdir(exist_ok=True)
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H%M%S")
    result = {
        "onnxruntime": onnxruntime.__version__,
        "gpu": gpu,
        "measured": [asdict(each) for each in found],
    }
    (arguments.results / f"layout-{date}.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
