"""The middle tier by its launcher, which knows where a tritonserver is and what it needs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.settings import StackSettings

_ROOT = Path(__file__).resolve().parents[2]

# How long Triton may take to end. Unloading its models takes 3 s on two idle cores.
_EXIT_SECONDS = 6

COMMAND = (sys.executable, "-m", "launch")


def launch_environment(settings: StackSettings, outer: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Variables for the launcher, around those of `outer`; it lays out its models in `folder`."""
    return {
        "HPS_TRITON_EXIT_TIMEOUT": str(_EXIT_SECONDS),
        **outer,
        "PYTHONPATH": ":".join(filter(None, [str(_ROOT / "triton_models"), outer.get("PYTHONPATH")])),
        "HPS_TRITON_DIR": str(folder),
        "HPS_TRITON_HTTP_PORT": str(settings.triton_http_port),
        "HPS_TRITON_GRPC_PORT": str(settings.triton_grpc_port),
        "HPS_TRITON_METRICS_PORT": str(settings.triton_metrics_port),
    }


def find_triton_problems(settings: StackSettings, folder: Path) -> list[str]:
    """What the launcher would refuse to start for, as sentences."""
    checked = subprocess.run(
        [*COMMAND, "--check"],
        env=launch_environment(settings, os.environ, folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode == 0:
        return []
    return checked.stderr.strip().splitlines() or [f"Triton's launcher ended with {checked.returncode}."]
