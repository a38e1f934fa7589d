"""The tiers as containers have them: each a process at an address of its own, that dies and comes back there."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from launch.processes import find_stubs

ROOT = Path(__file__).resolve().parents[2]

# Only what hangs lasts this long, even on a busy machine.
HANG_SECONDS = 120

# Linux gives ports from here on to whoever asks for any: while a server is dead another could get its port, or a
# client that tries again could even meet itself.
_LOWEST_EPHEMERAL_PORT = 32768


def lasting_ports(count: int) -> list[int]:
    """Free ports that nobody gets by chance while their servers are dead."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20000, _LOWEST_EPHEMERAL_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


class Tier:
    """One process, and what is below it."""

    def __init__(self, command: Sequence[str], port: int, environment: dict[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", *command]
        self.port = port
        self.environment = environment
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None, "it was not started"
        return psutil.Process(self._process.pid)

    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it need not be ready at once."""
        assert not self.lives()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def said(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:]) if self.log.exists() else ""

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        assert self._process is not None
        return self._process.wait(HANG_SECONDS)

    def end(self) -> None:
        """However it stands, nothing of it is left."""
        if not self.lives():
            return
        below = self.process.children(recursive=True)
        self.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.wait()
        self.kill()
        for process in below:
            if process.is_running():
                process.kill()


@dataclass(frozen=True)
class Seen:
    """Calls that came, that are in flight, and whose clients left."""

    asked: int
    running: int
    left: int


class Vlm(Tier):
    """See `tests.chaos.vlm`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def order(self, **orders: Any) -> None:
        orders = {"answers": None, "fails_every": 0, "dies_at": "", **orders}
        httpx.post(f"{self.url}/orders", json=orders, timeout=HANG_SECONDS).raise_for_status()

    def seen(self) -> Seen:
        return Seen(**httpx.get(f"{self.url}/seen", timeout=HANG_SECONDS).json())

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


class Gateway(Tier):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def is_ready(self) -> bool:
        try:
            # A gateway that ends takes connections that it will not serve, until its last worker has ended.
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def workers(self) -> list[psutil.Process]:
        """The processes that serve HTTP."""
        return [
            process for process in self.process.children()
            if process.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(process.cmdline())
        ]  # fmt: skip


class Triton(Tier):
    """The launcher, with tritonserver and its models below it."""

    def server(self) -> psutil.Process:
        (server,) = (child for child in self.process.children() if child.name() == "tritonserver")
        return server

    def stubs(self, model: str) -> list[psutil.Process]:
        """The processes in which a model runs."""
        return [psutil.Process(stub.pid) for stub in find_stubs(self.server().pid) if stub.model == model]

    def render_workers(self) -> list[psutil.Process]:
        return [
            child for stub in self.stubs("layout-parsing") for child in stub.children()
            if "spawn_main" in " ".join(child.cmdline())
        ]  # fmt: skip


def bare_environment(**settings: str) -> dict[str, str]:
    """This process's environment, with no setting but these."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("HPS_")}
    return {**outer, **settings}
