"""Starting and stopping the local stack: `make serve`, `make demo`."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from deploy.local.process import StackFailed, running_stack
from tests.end_to_end.conftest import ROOT

TIERS = {"vlm": "vlm_server", "triton": "tritonserver", "gateway": "-m gateway"}


def tier_process(stack: psutil.Process, tier: str) -> psutil.Process:
    (process,) = [
        child
        for child in stack.children(recursive=True)
        if TIERS[tier] in " ".join(child.cmdline()) and "stub" not in child.name()
        and "backend_stub" not in child.cmdline()[0]
    ]  # fmt: skip
    return process


def all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_stops_every_process_and_the_exit_is_clean(tmp_path, number):
    with running_stack(tmp_path / "log") as stack:
        processes = psutil.Process(stack.process.pid).children(recursive=True)
        # Three tiers, each with honcho's watcher; two Triton models; render workers.
        assert len(processes) >= 8
        answer = httpx.post(f"{stack.url}/layout-parsing", json={"file": "data:image/gif;base64,AA"})
        assert answer.status_code == 422
        stack.process.send_signal(number)
        assert stack.process.wait(15) == 0
        assert all_gone(processes)


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_that_dies_takes_the_stack_down_and_is_named(tmp_path, tier):
    with running_stack(tmp_path / "log") as stack:
        processes = psutil.Process(stack.process.pid).children(recursive=True)
        tier_process(psutil.Process(stack.process.pid), tier).kill()
        assert stack.process.wait(20) != 0
        assert all_gone(processes)
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert last == f"The {tier} tier ended by itself (killed by SIGKILL); the others were stopped."


def test_a_tier_that_cannot_start_is_named_and_its_reason_shown(tmp_path):
    with pytest.raises(StackFailed, match=r"The gateway tier ended by itself \(exit code"), running_stack(
        tmp_path / "log", {"HPS_MAX_QUEUED_REQUESTS": "crystal-ball"}
    ):  # fmt: skip
        pass
    assert "HPS_MAX_QUEUED_REQUESTS: " in (tmp_path / "log").read_text()


def test_what_triton_would_refuse_is_named_before_anything_is_started(tmp_path):
    with pytest.raises(StackFailed, match="HPS_LAYOUT_ENGINE: "), running_stack(
        tmp_path / "log", {"HPS_LAYOUT_ENGINE": "crystal-ball", "HPS_VLM_TIMEOUT": "0"}
    ):  # fmt: skip
        pass
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:2] == ["The stack was not started.", "Triton was not started."]
    assert any(line.startswith("HPS_VLM_TIMEOUT: ") for line in lines)


def test_a_taken_port_is_named_before_anything_is_started(stack):
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local.serve"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, **stack.environment, "HPS_VLM_PORT": "http"},
    )  # fmt: skip
    assert second.returncode == 2
    assert "HPS_VLM_PORT" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local.serve"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, **stack.environment},
    )  # fmt: skip
    assert second.returncode == 2
    for variable in ("HPS_PORT", "HPS_TRITON_GRPC_PORT", "HPS_VLM_PORT"):
        assert f"Port {stack.environment[variable]} ({variable}) cannot be used" in second.stdout


def test_a_stop_lets_the_document_in_flight_end(tmp_path):
    """The gateway drains before the tiers behind it are told."""
    with running_stack(tmp_path / "log", {"HPS_SHUTDOWN_GRACE_SECONDS": "9"}) as stack:
        page = io.BytesIO()
        Image.open(ROOT / "examples" / "chinese.png").crop((0, 0, 1654, 700)).save(page, "PNG")
        file = base64.b64encode(page.getvalue()).decode()
        with httpx.stream(
            "POST", f"{stack.url}/layout-parsing", json={"file": file}, timeout=60,
            headers={"Accept": "application/x-ndjson"},
        ) as answer:  # fmt: skip
            lines = answer.iter_lines()
            assert json.loads(next(lines))["type"] == "document"
            stack.process.send_signal(signal.SIGTERM)
            assert [json.loads(line)["type"] for line in lines] == ["page", "summary"]
        assert stack.process.wait(20) == 0


def test_the_logs_of_the_tiers_are_prefixed_with_their_names(stack):
    lines = stack.log.read_text().splitlines()
    for tier in TIERS:
        assert any(f" {tier.ljust(7)} |" in line for line in lines)
    assert any(line.startswith("ready after") and stack.environment["HPS_PORT"] in line for line in lines)


def test_the_demo_parses_every_example_and_leaves_nothing_running(tmp_path):
    demo = subprocess.run(
        [sys.executable, "-m", "deploy.local.demo", "--output", str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "# How Often Must a Garden Pond Be Topped Up?" in demo.stdout
    for example in ("paper", "invoice", "chinese", "scan"):
        folder = tmp_path / "out" / example
        assert (folder / "document.md").stat().st_size > 500
        assert (folder / "page_1_regions.jpg").read_bytes().startswith(b"\xff\xd8")
        assert f"{example}." in demo.stdout
    assert len(list((tmp_path / "out" / "paper" / "imgs").glob("*.jpg"))) == 2
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or [])
    ]


def test_a_demo_that_is_told_to_end_takes_its_stack_with_it(tmp_path):
    demo = subprocess.Popen(
        [sys.executable, "-m", "deploy.local.demo", "--output", str(tmp_path / "out")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with demo:
        assert demo.stdout is not None
        assert demo.stdout.read(8) == "starting"
        stack = psutil.Process(demo.pid)
        while len(stack.children(recursive=True)) < 4:
            assert demo.poll() is None
            demo.stdout.read(1)  # a dot each time it looks
        processes = stack.children(recursive=True)
        demo.terminate()
        assert demo.wait(20) == 143
    assert all_gone(processes)


def test_the_demo_says_why_it_failed(tmp_path):
    demo = subprocess.run(
        [sys.executable, "-m", "deploy.local.demo", "--output", str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "HPS_LAYOUT_ENGINE": "crystal-ball"},
    )  # fmt: skip
    assert demo.returncode == 1
    assert "crystal-ball" in demo.stdout
    assert not Path(tmp_path / "out").exists()
