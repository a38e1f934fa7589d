"""A local stack as a child process: started on free ports, watched until ready, ended."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.settings import free_port_environment

_ROOT = Path(__file__).resolve().parents[2]

# Loading two models and a VLM takes 10 s on two idle cores; a busy machine may need many times that.
_READY_SECONDS = 180.0

# The stack itself promises 15 s.
_STOP_SECONDS = 20.0

# The stack is on this machine; a proxy of the environment does not know it.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StackFailed(Exception):
    """The stack ended or did not become ready; the message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that is up.

    Attributes:
        environment: the variables that it was started with.
        log: the file that its tiers write to.
    """

    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str]
    log: Path

    @property
    def url(self) -> str:
        """Base URL of the gateway."""
        return f"http://127.0.0.1:{self.environment['HPS_PORT']}"

    @property
    def vlm_url(self) -> str:
        """Base URL of the embedded VLM server."""
        return f"http://127.0.0.1:{self.environment['HPS_VLM_PORT']}"


@contextmanager
def running_stack(
    log: Path, extra: Mapping[str, str] | None = None, tick: Callable[[], None] = lambda: None
) -> Iterator[RunningStack]:
    """Start a stack on free ports and wait until it is ready; `tick` is called while waiting.

    Raises:
        StackFailed: it did not become ready.
    """
    environment = {**free_port_environment(), **(extra or {})}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.serve"],
            cwd=_ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        stack = RunningStack(process, environment, log)
        try:
            _wait_until_ready(stack, tick)
            yield stack
        finally:
            stop_stack(stack)


def exit_on_sigterm() -> None:
    """Make SIGTERM end this program like an exception, so that a stack that it started is ended too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def stop_stack(stack: RunningStack) -> int:
    """End a stack as an operator would; returns its exit code."""
    if stack.process.poll() is None:
        stack.process.send_signal(signal.SIGTERM)
    try:
        return stack.process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        stack.process.kill()
        raise


def _wait_until_ready(stack: RunningStack, tick: Callable[[], None]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        if stack.process.poll() is not None:
            raise StackFailed(f"the stack ended while it was starting:\n{_tail(stack.log)}")
        if is_ready(stack.url):
            return
        if time.monotonic() > deadline:
            raise StackFailed(f"the stack was not ready after {_READY_SECONDS:.0f} s:\n{_tail(stack.log)}")
        tick()
        time.sleep(0.25)


def is_ready(url: str) -> bool:
    """Whether the gateway at `url` says that every tier is ready."""
    try:
        with _DIRECTLY.open(f"{url}/health/ready", timeout=6) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([*lines[-40:], f"(all of it is in {log})"])
