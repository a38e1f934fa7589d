"""Server processes of the benchmark, and the processes of a stack by what they do."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
_STOP_SECONDS = 10.0

_STUB = re.compile(r"([\w-]+)/1/model\.py")


class ServerFailed(Exception):
    """A server ended, or did not become ready; the message names its log."""


@contextmanager
def running_server(
    module: str, arguments: Sequence[str], ready_url: str, log: Path, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m MODULE ARGUMENTS` until the context ends; entered when `ready_url` answers 200."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(process, ready_url, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailed(f"a server ended while it was starting; see {log}")
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise ServerFailed(f"a server was not ready in time; see {log}")


def processes_by_role(root: int) -> dict[str, list[psutil.Process]]:
    """Every process below `root` by what it does: `gateway`, `triton`, a model's name, `render`, `runner`."""
    roles: dict[str, list[psutil.Process]] = {}
    tree = psutil.Process(root)
    stubs: dict[int, str] = {}
    for process in [tree, *tree.children(recursive=True)]:
        try:
            command, parent = process.cmdline(), process.ppid()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        role = _role(command)
        if "stub" in Path(command[0]).name if command else False:
            stubs[process.pid] = role
        if role == "runner" and parent in stubs:
            # Processes that a model started; Python's own resource tracker is one too.
            role = f"{stubs[parent]} workers"
        roles.setdefault(role, []).append(process)
    return roles


def _role(command: Sequence[str]) -> str:
    if not command:
        return "runner"
    line = " ".join(command)
    if Path(command[0]).name == "triton_python_backend_stub":
        match = _STUB.search(line)
        return match[1] if match else "stub"
    if Path(command[0]).name == "tritonserver":
        return "triton"
    if "benchmarks.reference.gateway" in line:
        return "reference gateway"
    return "gateway" if "-m gateway" in line else "runner"
