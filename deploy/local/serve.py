"""`make serve`: the three tiers in the foreground, their logs interleaved, ended together."""

import os
import secrets
import shlex
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from pydantic import ValidationError

from deploy.local.process import is_ready
from deploy.local.settings import StackSettings, taken_ports
from deploy.local.tiers import Stack
from deploy.local.triton import COMMAND, check_triton, launch_environment

_STATE = Path(__file__).resolve().parents[2] / ".stack"

_READY_PROBE_SECONDS = 0.5

# uvicorn's names; the VLM server knows no `critical`.
_VLM_LOG_LEVELS = {level: level for level in ("debug", "info", "warning", "error")} | {"critical": "error"}

# For the reasons for which Triton's models get them from their launcher (`model_environment`).
_VLM_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "ORT_DISABLE_TELEMETRY": "1"}


def add_tiers(stack: Stack, settings: StackSettings, folder: Path) -> None:
    """Add the VLM (unless others are named), Triton and the gateway to `stack`.

    Args:
        stack: to add them to.
        settings: of the stack.
        folder: for what Triton needs while it runs.
    """
    # The CPU layout engine takes one page of a batch after the other: with one that waits it has always enough to do.
    environment = {"HPS_LAYOUT_MAX_CONCURRENCY": "2", **os.environ, **image_store_environment()}
    vlm_urls = settings.vlm_urls or f"http://127.0.0.1:{settings.vlm_port}"
    if not settings.vlm_urls:
        command = [sys.executable, "-m", "vlm_server", "--engine", "embedded"]
        command += ["--port", str(settings.vlm_port)]
        command += ["--log-level", _VLM_LOG_LEVELS.get(settings.log_level.lower(), "info")]
        stack.add_process("vlm", _exec(command), env={**_VLM_ENVIRONMENT, **environment})
        # The embedded engine scales crops itself, and more calls than a few only wait in its queue. It reads, so
        # it cannot loop, and streams only what is finished: watching it costs up to 6 ms of a line's 30, for nothing.
        environment = {
            "HPS_VLM_BACKEND": "embedded",
            "HPS_VLM_PIXEL_LIMITS": "send",
            "HPS_VLM_MAX_CONCURRENCY": "8",
            "HPS_VLM_REPETITION_GUARD": "off",
            **environment,
        }
    triton_environment = launch_environment(settings, {**environment, "HPS_VLM_URLS": vlm_urls}, folder)
    stack.add_process("triton", _exec(list(COMMAND)), env=triton_environment)
    gateway_environment = {
        "HPS_HOST": "127.0.0.1",  # without keys, this machine only
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
    while not is_ready(f"http://127.0.0.1:{port}"):
        time.sleep(_READY_PROBE_SECONDS)
    print(f"ready after {time.monotonic() - started:.0f} s: {url}  (try it at {url}/docs)", flush=True)


def main() -> int:
    """Run the stack until a signal or the death of a tier; returns the exit code."""
    _STATE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="triton-", dir=_STATE, ignore_cleanup_errors=True) as folder:
        return run_stack(Path(folder))


def run_stack(folder: Path) -> int:
    """See `main`; `folder` is Triton's while it runs."""
    try:
        settings = StackSettings()
        triton = check_triton(settings, {**os.environ, **image_store_environment()}, folder)
        if triton.vlm_urls:  # the pipeline configuration file may have named them
            settings = settings.model_copy(update={"vlm_urls": ",".join(triton.vlm_urls)})
        problems = [*taken_ports(settings.own_ports), *triton.problems]
    except ValidationError as error:
        problems = [f"HPS_{str(each['loc'][0]).upper()}: {each['msg']}." for each in error.errors()]
    if problems:
        print("\n".join(["The stack was not started.", *problems]), flush=True)
        return 2
    stack = Stack()
    add_tiers(stack, settings, folder)
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
