"""`make serve`: the three tiers in the foreground, their logs interleaved, ended together."""

import os
import secrets
import shlex
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import honcho.manager
import honcho.process
from honcho.printer import Printer

from deploy.local.settings import StackSettings
from deploy.local.triton import prepare_backends, triton_command, triton_environment

_STATE = Path(__file__).resolve().parents[2] / ".stack"

# Between SIGTERM and SIGKILL. The tiers need about 4 s; all of it stays within the 15 s promised.
honcho.manager.KILL_WAIT = 8

_READY_PROBE_SECONDS = 0.5


class _TierSignals(honcho.manager.ProcessManager):  # type: ignore[misc]  # honcho has no types
    """Ends a tier by its own process; honcho's signals to the group would reach Triton's stubs.

    A stub that gets SIGTERM itself dies without a word, and the server waits for it until its time is up.
    """

    def terminate(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class _TierPopen(honcho.process.Popen):  # type: ignore[misc]  # honcho has no types
    """A tier's process, in a group of its own; what is left of the group when the tier ends is killed.

    Triton's stubs outlive a server that was killed, and would hold the pipe from which honcho learns of it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        threading.Thread(target=self._sweep, daemon=True).start()

    def _sweep(self) -> None:
        self.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class _Tier(honcho.process.Process):  # type: ignore[misc]
    """honcho's wrapper of a process, around ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = _TierPopen


class Stack(honcho.manager.Manager):
    """Runs the tiers; the first one that ends takes the others down.

    Attributes:
        first_to_stop: name and exit code of the tier that ended before it was told to, if one did.
    """

    def __init__(self) -> None:
        super().__init__(Printer(sys.stdout, colour=sys.stdout.isatty()))
        self.first_to_stop: tuple[str, int] | None = None
        self._asked_to_stop = False
        self._procmgr = _TierSignals()
        self._process_ctor = _Tier

    def terminate(self) -> None:
        """End every tier; called by honcho when one has ended or a signal came."""
        self._asked_to_stop = True
        if not self._all_started():
            return  # honcho does not know every process id yet; its loop comes back through `_any_stopped`
        if self.first_to_stop is None and self.returncode not in (None, *_SIGNAL_CODES):
            self.first_to_stop = next(
                (
                    (name, tier["returncode"])
                    for name, tier in self._processes.items()
                    if "returncode" in tier
                ),
                None,
            )
        super().terminate()

    def _any_stopped(self) -> bool:
        # Starts the clock that ends in SIGKILL. honcho's own starts only when some tier has stopped.
        return self._asked_to_stop or super()._any_stopped()


_SIGNAL_CODES = tuple(entry["rc"] for entry in honcho.manager.SIGNALS.values())


def add_tiers(stack: Stack, settings: StackSettings) -> None:
    """Add the VLM (unless others are named), Triton and the gateway to `stack`."""
    environment = {"PYTHONUNBUFFERED": "1", **os.environ, **image_store_environment()}
    vlm_urls = settings.vlm_urls or f"http://127.0.0.1:{settings.vlm_port}"
    if not settings.vlm_urls:
        command = [
            sys.executable,
            "-m",
            "vlm_server",
            "--engine",
            "embedded",
            "--port",
            str(settings.vlm_port),
        ]
        stack.add_process("vlm", _exec(command), env=environment)
        # The embedded engine scales crops itself, and more calls than a few only wait in its queue. It reads, so
        # it cannot loop, and streams only what is finished: watching it costs up to 6 ms of a line's 30, for nothing.
        environment = {
            "HPS_VLM_PIXEL_LIMITS": "send",
            "HPS_VLM_MAX_CONCURRENCY": "8",
            "HPS_VLM_REPETITION_GUARD": "off",
            **environment,
        }
    triton = triton_command(settings, prepare_backends(_STATE / "backends"))
    stack.add_process(
        "triton", _exec(triton), env={**environment, "HPS_VLM_URLS": vlm_urls, **triton_environment()}
    )
    gateway_environment = {
        "UVICORN_WORKERS": "1",
        "HPS_SHUTDOWN_GRACE_SECONDS": "3",
        **environment,
        "HPS_VLM_URLS": vlm_urls,
        "HPS_TRITON_URL": f"127.0.0.1:{settings.triton_grpc_port}",
        "HPS_PORT": str(settings.port),
    }
    stack.add_process("gateway", _exec([sys.executable, "-m", "gateway"]), env=gateway_environment)


def image_store_environment() -> dict[str, str]:
    """What a local image store needs of the tiers together, where the operator has not said it.

    Links do not outlive the stack: every start has a secret of its own.
    """
    return {
        "HPS_IMAGE_STORE_DIR": os.environ.get("HPS_IMAGE_STORE_DIR") or str(_STATE / "images"),
        "HPS_IMAGE_STORE_SECRET": os.environ.get("HPS_IMAGE_STORE_SECRET") or secrets.token_hex(32),
    }


def announce_when_ready(port: int) -> None:
    """Print where the service is once every tier is ready."""
    url = f"http://localhost:{port}"
    started = time.monotonic()
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(_READY_PROBE_SECONDS)
    print(f"ready after {time.monotonic() - started:.0f} s: {url}  (try it at {url}/docs)", flush=True)


def main() -> int:
    """Run the stack until a signal or the death of a tier; returns the exit code."""
    settings = StackSettings()
    stack = Stack()
    add_tiers(stack, settings)
    threading.Thread(target=announce_when_ready, args=(settings.port,), daemon=True).start()
    stack.loop()
    if stack.first_to_stop is None:
        return 0
    name, code = stack.first_to_stop
    print(f"The {name} tier ended by itself ({_describe_exit(code)}); the others were stopped.", flush=True)
    return code if 0 < code < 128 else 1


def _exec(command: list[str]) -> str:
    # honcho runs a shell line; `exec` makes the tier itself the process that gets the signals.
    return "exec " + shlex.join(command)


def _describe_exit(code: int) -> str:
    # honcho's shell reports a signal as 128 + its number, Python as its negative.
    number = -code if code < 0 else code - 128
    if number > 0:
        try:
            return f"killed by {signal.Signals(number).name}"
        except ValueError:
            pass
    return f"exit code {code}; see its lines above"


if __name__ == "__main__":
    sys.exit(main())
