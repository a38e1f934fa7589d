"""Clients that people already have, against the real tiers. Run by `make test-clients`, never by `make test`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.process import RunningStack, running_stack
from deploy.local.settings import free_ports
from tests.clients.environments import IndexUnreachable, client_environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = Path(__file__).parent / "programs"

KEY = "a-key-of-the-tests"

# A client's program: its imports and some documents on a busy machine.
PROGRAM_SECONDS = 300


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; leave them out unless `-m` asks for clients, whatever else it asks for."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in ours:
        item.add_marker(pytest.mark.clients)
    if "clients" not in config.option.markexpr:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack as `make serve` starts it; 127.0.0.2 plays the web that documents are fetched from."""
    log = tmp_path_factory.mktemp("stack") / "stack.log"
    with running_stack(log, {"HPS_URL_ALLOWED_NETWORKS": "127.0.0.2/32"}) as running:
        yield running


@pytest.fixture
def url(stack: RunningStack) -> str:
    """Base URL that the clients are given."""
    return stack.url


OwnGateway = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def own_gateway(stack: RunningStack, tmp_path: Path) -> OwnGateway:
    """Starts a gateway of the test's own before the same Triton and VLM server, with settings of its own."""

    @contextmanager
    def start(**settings: str) -> Iterator[str]:
        (port,) = free_ports(1)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HPS_")},
            "HPS_HOST": "127.0.0.1",
            "HPS_PORT": str(port),
            "HPS_TRITON_URL": f"127.0.0.1:{stack.environment['HPS_TRITON_GRPC_PORT']}",
            "HPS_VLM_URLS": stack.vlm_url,
            "UVICORN_WORKERS": "1",
            **settings,
        }
        with (tmp_path / "gateway.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            transport = httpx.HTTPTransport(retries=10)  # refused connections only, with growing pauses
            with httpx.Client(transport=transport, timeout=60) as client:
                assert client.get(f"http://127.0.0.1:{port}/health").status_code == 200
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()

    return start


@pytest.fixture
def keyed_url(own_gateway: OwnGateway) -> Iterator[str]:
    """Base URL of a service that asks for KEY."""
    with own_gateway(HPS_API_KEYS=f"client:{KEY}") as keyed:
        yield keyed


@pytest.fixture(scope="session")
def client_bin() -> Callable[[str], Path]:
    """Finds the bin folder of a client's environment; the test is skipped where it cannot be installed."""

    def find(name: str) -> Path:
        try:
            return client_environment(name)
        except IndexUnreachable as error:
            pytest.skip(str(error))

    return find


def run_program(
    python: Path, name: str, order: dict[str, Any], variables: Mapping[str, str] | None = None
) -> Any:
    """What a program of programs/ answers to its order, both JSON."""
    done = subprocess.run(
        [python, PROGRAMS / name],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        env={
            **os.environ,
            "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",  # PaddleX asks its hubs otherwise
            **(variables or {}),
        },
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def web() -> Iterator[Callable[[str, bytes], str]]:
    """A web server on loopback: gives the address under which some bytes can be fetched."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(files[self.path])))
            self.end_headers()
            self.wfile.write(files[self.path])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.2", 0), Handler)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(server.serve_forever, 0.05)

        def publish(path: str, content: bytes) -> str:
            files[path] = content
            return f"http://127.0.0.2:{server.server_port}{path}"

        yield publish
        server.shutdown()
        server.server_close()
