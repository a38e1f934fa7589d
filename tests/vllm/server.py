"""A real vLLM on the CPU, started as an operator would: by our own command, with a preset."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from deploy.local.settings import free_ports

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"

# Loading torch, vLLM and a small model on two busy cores.
START_SECONDS = 600


class VllmServer:
    """Serves a folder of weights; can be killed and started again at the same address."""

    def __init__(self, python: Path, weights: Path, state: Path) -> None:
        self._python = python
        self._weights = weights
        self._state = state
        self._log = state / "vllm.log"
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        own = ["--engine", "vllm", "--preset", "cpu", "--port", str(self.port)]
        # The newest version, for its name is what PaddleOCR's programs ask for unless they are told another.
        own += ["--model", "PaddleOCR-VL-1.6-0.9B", "--model-dir", str(self._weights)]
        # PaddleX's clients send pixel limits. The weights are made in 4-byte floats, and so small that this is enough.
        engine = ["--dtype", "float32", "--kv-cache-memory-bytes", "256M"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "vlm_server", *own, "--paddlex-clients", "--", *engine],
                cwd=ROOT,
                env=environment(self._state),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_healthy(self._process)

    def kill(self) -> None:
        """End it and its workers at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        found = re.findall(rf"^vllm:{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        assert found, f"no metric {name}"
        return sum(float(value) for value in found)

    def complete(self, image_url: str, prompt: str, **parameters: Any) -> httpx.Response:
        """Ask for one completion, as OpenAI's clients do."""
        content = [{"type": "image_url", "image_url": {"url": image_url}}, {"type": "text", "text": prompt}]
        body = {
            "model": "PaddleOCR-VL-0.9B",
            "temperature": 0,
            "messages": [{"role": "user", "content": content}],
        }
        return httpx.post(f"{self.url}/v1/chat/completions", json={**body, **parameters}, timeout=300)

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _wait_until_healthy(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        transport = httpx.HTTPTransport(retries=2)  # refused connections only, with short pauses
        with httpx.Client(transport=transport, timeout=60) as client:
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    assert client.get(f"{self.url}/health").status_code == 200
                except httpx.ConnectError:
                    continue
                return
        self.kill()
        raise AssertionError(f"vLLM did not start:\n{self.log[-4000:]}")


def environment(state: Path) -> dict[str, str]:
    """Variables for programs in vLLM's environment: our code is found, nothing is kept outside `state`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HPS_")},
        "PYTHONPATH": str(ROOT),
        "VLLM_HOST_IP": "127.0.0.1",
        "VLLM_CACHE_ROOT": str(state / "cache" / "vllm"),
        "XDG_CACHE_HOME": str(state / "cache"),
        "HF_HOME": str(state / "cache" / "hf"),
    }


def write_checkpoint(python: Path, folder: Path, scripts: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the weights that say `scripts`; see checkpoint/make.py."""
    subprocess.run(
        [python, Path(__file__).parent / "checkpoint" / "make.py", folder],
        input=json.dumps(scripts),
        text=True,
        capture_output=True,
        check=True,
        timeout=300,
        env=environment(folder.parent),
    )
