"""Processes of models that die under a real Triton, and what the launcher makes of it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from tritonclient.grpc import InferenceServerClient

from tests.tritonserver import HANG_SECONDS, RunningTriton, detect, running_triton

pytestmark = pytest.mark.stack

MODELS = ("layout-parsing", "layout-detection", "restructure-pages")
OPTIONS = b'{"threshold":null,"nms":null,"unclip_ratio":null,"merge_bboxes_mode":null,"shape_mode":"auto"}'


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def stubs(triton: RunningTriton, model: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(triton.process.pid).children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
        and any(f"/{model}/1/model.py" in word for word in process.cmdline()[1:2])
    ]


def regions(triton: RunningTriton) -> list[Path]:
    return list(Path("/dev/shm").glob(f"hps-{triton.process.pid}-*"))


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    with running_triton(tmp_path_factory.mktemp("triton"), {"HPS_RESTRUCTURE_INSTANCES": "2"}) as triton:
        yield triton


@pytest.fixture(scope="module")
def client(triton: RunningTriton) -> Iterator[InferenceServerClient]:
    with triton.client() as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_a_model_whose_process_dies_is_not_ready_and_then_it_is_again(triton, client, model):
    before = stubs(triton, model)
    victim, *sound = before
    victim.kill()
    wait_until(lambda: not client.is_model_ready(model), "it is not ready")
    wait_until(lambda: client.is_model_ready(model), "it is ready")
    new = [process for process in stubs(triton, model) if process not in before]
    assert len(new) == len(before)
    assert all(process.is_running() for process in sound) or model == "restructure-pages"
    for other in MODELS:
        assert client.is_model_ready(other)


def test_a_model_that_was_brought_back_works(triton, client):
    page = np.full((200, 300, 3), 255, np.uint8)
    assert detect(client, page, OPTIONS) == []
    for _ in range(2):  # the second time after a pause
        (victim,) = stubs(triton, "layout-detection")
        victim.kill()
        wait_until(lambda: not client.is_model_ready("layout-detection"), "it is not ready")
        wait_until(lambda: client.is_model_ready("layout-detection"), "it is ready")
        assert detect(client, page, OPTIONS) == []


def test_workers_of_a_process_that_was_killed_end_too(triton, client):
    (victim,) = stubs(triton, "layout-parsing")
    workers = victim.children(recursive=True)
    assert workers
    victim.kill()
    gone, _ = psutil.wait_procs(workers, timeout=HANG_SECONDS)
    assert len(gone) == len(workers)
    wait_until(lambda: client.is_model_ready("layout-parsing"), "it is ready")


def test_a_triton_that_is_told_to_end_leaves_nothing(tmp_path):
    # One that ran out of time would end too, with 1.
    with running_triton(tmp_path, {"HPS_TRITON_EXIT_TIMEOUT": str(HANG_SECONDS)}) as triton:
        processes = psutil.Process(triton.process.pid).children(recursive=True)
        assert regions(triton)
        stubs(triton, "layout-detection")[0].kill()  # whose region nobody else would remove
        triton.process.send_signal(signal.SIGTERM)
        assert triton.process.wait(HANG_SECONDS) == 0
        assert not [process for process in processes if process.is_running()]
        assert regions(triton) == []


def test_a_triton_that_is_killed_takes_its_models_with_it_and_its_launcher_says_how_it_died(tmp_path):
    with running_triton(tmp_path, {}) as triton:
        processes = psutil.Process(triton.process.pid).children(recursive=True)
        server = next(process for process in processes if process.name() == "tritonserver")
        server.kill()
        assert triton.process.wait(HANG_SECONDS) == -signal.SIGKILL
        assert not [process for process in processes if process.is_running()]
        assert regions(triton) == []


def test_a_launcher_that_is_killed_takes_triton_with_it(tmp_path):
    with running_triton(tmp_path, {}) as triton:
        processes = psutil.Process(triton.process.pid).children(recursive=True)
        os.kill(triton.process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, timeout=HANG_SECONDS)
        assert not alive
        for region in regions(triton):  # nobody is left to do it
            region.unlink()
