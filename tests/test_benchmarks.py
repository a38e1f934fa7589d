"""The benchmark of the layout engine runs, and says what it did not measure."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.networks.layout import write_layout_model

ROOT = Path(__file__).resolve().parents[1]


def bench(*arguments, path):
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/triton_models", "PATH": path}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.layout", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, env=environment,
    )  # fmt: skip


def test_each_batch_size_is_measured_on_the_cpu_and_a_missing_gpu_is_told(tmp_path):
    folder = write_layout_model(tmp_path / "model")
    # Without the programs of this machine, among them nvidia-smi.
    done = bench("--model-dir", folder, "--rounds", 1, "--results", tmp_path / "results", path="")
    assert done.returncode == 0, done.stderr
    assert "No GPU was measured: nvidia-smi finds none here." in done.stdout
    (file,) = (tmp_path / "results").glob("layout-*.json")
    result = json.loads(file.read_text())
    assert result["gpu"] is None
    assert [(each["device"], each["batch"]) for each in result["measured"]] == [("cpu", 1), ("cpu", 8)]
    assert all(each["pages_per_second"] > 0 and each["device_name"] for each in result["measured"])


def test_without_a_model_it_says_where_one_comes_from(tmp_path):
    done = bench("--model-dir", tmp_path, path="")
    assert done.returncode == 2
    assert "make bench-layout-model" in done.stdout
