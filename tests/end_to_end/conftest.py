"""The real tiers: the gateway, NVIDIA's Triton and the embedded VLM server, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.process import RunningStack, running_stack
from deploy.local.settings import free_ports

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "end_to_end" in item.path.parts:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack as `make serve` starts it, with a server on loopback among those that it may fetch from."""
    log = tmp_path_factory.mktemp("stack") / "stack.log"
    with running_stack(log, {"HPS_URL_ALLOWED_NETWORKS": "127.0.0.2/32"}) as running:
        yield running


@pytest.fixture
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=120) as client:
        yield client


class OwnVlm:
    """An embedded VLM server of the test's own, that can be killed and started again at the same address."""

    def __init__(self, log: Path) -> None:
        self._log = log
        (self._port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "vlm_server", "--engine", "embedded", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        transport = httpx.HTTPTransport(retries=10)  # refused connections only, with growing pauses
        with httpx.Client(transport=transport, timeout=60) as client:
            assert client.get(f"{self.url}/health").status_code == 200

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def own_vlm(log: Path) -> Iterator[OwnVlm]:
    vlm = OwnVlm(log)
    vlm.start()
    try:
        yield vlm
    finally:
        vlm.kill()
