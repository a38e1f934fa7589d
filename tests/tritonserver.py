"""A real Triton by itself, started as every installation starts it, for tests that speak to its models."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from deploy.local.settings import free_ports
from docparse.layout.wire import encode_page_reference
from docparse.page_memory import PageReference, reference_of

ROOT = Path(__file__).resolve().parents[1]

# Only what hangs lasts this long, even on a busy machine.
HANG_SECONDS = 120


class RunningTriton:
    def __init__(self, process: "subprocess.Popen[bytes]", grpc_port: int, log: Path) -> None:
        self.process = process
        self.address = f"127.0.0.1:{grpc_port}"
        self.log = log

    def client(self) -> InferenceServerClient:
        return InferenceServerClient(self.address)


def launch_environment(**settings: str) -> dict[str, str]:
    """The environment for `python -m launch`, with no setting but these."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("HPS_")}
    return {**outer, "PYTHONPATH": str(ROOT / "triton_models"), **settings}


@contextmanager
def running_triton(folder: Path, settings: Mapping[str, str]) -> Iterator[RunningTriton]:
    """Triton with the models that the settings ask for, all of them ready."""
    http, grpc, metrics = free_ports(3)
    ports = {"HTTP": http, "GRPC": grpc, "METRICS": metrics}
    environment = launch_environment(
        **{f"HPS_TRITON_{name}_PORT": str(port) for name, port in ports.items()},
        HPS_TRITON_DIR=str(folder / "triton"),
        **{"HPS_TRITON_EXIT_TIMEOUT": "6", **settings},
    )
    log = folder / "triton.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launch"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    triton = RunningTriton(process, grpc, log)
    try:
        _wait_until_ready(triton)
        yield triton
    finally:
        _stop(process)


def tensor(name: str, kind: str, value: np.ndarray) -> InferInput:
    tensor = InferInput(name, list(value.shape), kind)
    tensor.set_data_from_numpy(value)
    return tensor


def detect(client: InferenceServerClient, page: np.ndarray, options: bytes) -> Any:
    """What `layout-detection` says of one page: by reference where it lies in shared memory."""
    reference = reference_of(page)
    if reference is not None:
        return detect_at(client, reference, options)
    return _detect(client, tensor("image", "UINT8", page[np.newaxis]), options)


def detect_at(client: InferenceServerClient, reference: PageReference, options: bytes) -> Any:
    """What it says of the page that lies there."""
    page = np.array([[encode_page_reference(reference)]], dtype=object)
    return _detect(client, tensor("page", "BYTES", page), options)


def _detect(client: InferenceServerClient, page: InferInput, options: bytes) -> Any:
    inputs = [page, tensor("options", "BYTES", np.array([[options]], dtype=object))]
    answer = client.infer("layout-detection", inputs, client_timeout=HANG_SECONDS)
    return json.loads(answer.as_numpy("boxes").reshape(-1)[0])


def detect_together(
    client: InferenceServerClient, pages: Sequence[np.ndarray], options: Sequence[bytes]
) -> list[Any]:
    """Boxes of each page, or the exception that it got."""

    def attempt(page: np.ndarray, option: bytes) -> Any:
        try:
            return detect(client, page, option)
        except InferenceServerException as error:
            return error

    with ThreadPoolExecutor(len(pages)) as threads:
        return list(threads.map(attempt, pages, options))


def executions(client: InferenceServerClient, model: str = "layout-detection") -> int:
    """How many batches the model has run."""
    (statistics,) = client.get_inference_statistics(model).model_stats
    return int(statistics.execution_count)


def _wait_until_ready(triton: RunningTriton) -> None:
    with triton.client() as client:
        for _ in range(HANG_SECONDS * 4):
            try:
                if client.is_server_ready(client_timeout=1):
                    return
            except InferenceServerException:
                pass
            try:
                triton.process.wait(0.25)
                break
            except subprocess.TimeoutExpired:
                continue
    raise AssertionError(f"Triton did not become ready:\n{triton.log.read_text()[-4000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(HANG_SECONDS)
    finally:
        for child in children:
            if child.is_running():
                child.kill()
