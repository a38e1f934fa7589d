"""A Compose project under test, and what Docker says of it."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.local.settings import free_ports, taken_ports
from tests.deploy.composing import NO_SETTINGS, ROOT, compose_command

IMAGES = {
    "HPS_GATEWAY_IMAGE": "hps-test/gateway",
    "HPS_TRITON_IMAGE": "hps-test/triton-cpu",
    "HPS_VLM_EMBEDDED_IMAGE": "hps-test/vlm-embedded",
    "HPS_BASIC_IMAGE": "hps-test/basic",
}
API, TRITON, VLM = "paddleocr-vl-api", "paddleocr-vl-tritonserver", "paddleocr-vlm-server"
# A cold start of three containers on two busy cores.
READY_SECONDS = 300


@contextmanager
def models_folder() -> Iterator[Path]:
    """An empty folder for weights in the repository's own scratch folder."""
    scratch = ROOT / ".stack"
    scratch.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="docker-models-", dir=scratch))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def run(*words: str | Path, seconds: float = 120, **environment: str) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-4000:]}"
    return done.stdout


class Project:
    """Containers of one project name; `settings` are what .env would say."""

    def __init__(self, name: str, settings: Mapping[str, str], *files: str) -> None:
        self._name = name
        self._files = files or ("compose.yaml",)
        self.port = 8080 if not taken_ports({"": 8080}) else free_ports(1)[0]
        self.settings = {
            **IMAGES,
            "HPS_PUBLISH_ADDRESS": "127.0.0.1",
            "HPS_PORT": str(self.port),
            "HPS_BUILD_NETWORK": "host",  # works where containers have no DNS, too
            **settings,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words: str, seconds: float = 300) -> str:
        command = compose_command()
        assert command is not None
        files = [word for file in self._files for word in ("-f", file)]
        words = (*command, "-p", self._name, "--env-file", NO_SETTINGS, *files, *words)
        return run(*words, seconds=seconds, **self.settings)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Up and ready; gone afterwards, volumes and all."""
        self.compose("down", "-v", "--remove-orphans")
        try:
            self.compose("up", "-d", "--no-build", seconds=READY_SECONDS)
            self.wait_until(200)
            self.wait_until_healthy(API, TRITON, VLM)
            yield
        except BaseException:
            print(self.compose("logs", "--no-color", "--tail", "80"))
            raise
        finally:
            self.compose("down", "-v", "--remove-orphans")

    def ready(self) -> int:
        """Status of /health/ready; 0 where nobody answers."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=10).status_code
        except httpx.TransportError:
            return 0

    def wait_until(self, status: int, path: str = "/health/ready") -> None:
        """Until the API answers with this status there."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}{path}", timeout=10).status_code == status:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"{path} was not {status} within {READY_SECONDS} s: {self.ready()}")

    def wait_until_healthy(self, *services: str) -> None:
        """Until Docker calls each of these containers healthy."""
        deadline = time.monotonic() + READY_SECONDS
        while any(self.inspect(service)["State"]["Health"]["Status"] != "healthy" for service in services):
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def container(self, service: str) -> str:
        """Its id."""
        words = ("ps", "-aq", "--filter", f"label=com.docker.compose.project={self._name}")
        return run("docker", *words, "--filter", f"label=com.docker.compose.service={service}").strip()

    def inspect(self, service: str) -> dict[str, Any]:
        described: dict[str, Any] = json.loads(run("docker", "inspect", self.container(service)))[0]
        return described

    def execute(self, service: str, code: str) -> str:
        """What a Python program prints in the container."""
        return run("docker", "exec", self.container(service), "python3", "-c", code)

    def parse(self, file: Path, **fields: str) -> httpx.Response:
        with file.open("rb") as data:
            return httpx.post(f"{self.url}/layout-parsing", files={"file": data}, data=fields, timeout=300)

    def parse_json(self, file: Path) -> httpx.Response:
        """As PaddleX's service wants it."""
        body = {"file": base64.b64encode(file.read_bytes()).decode(), "fileType": int(file.suffix != ".pdf")}
        return httpx.post(f"{self.url}/layout-parsing", json=body, timeout=300)
