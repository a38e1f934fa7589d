"""NVIDIA's tritonserver out of the `nvidia-pytriton` wheel, run without that package's Python API."""

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from deploy.local.settings import StackSettings

_ROOT = Path(__file__).resolve().parents[2]
_MODEL_REPOSITORY = _ROOT / "triton_models" / "model_repository"

# How long Triton may take to end. Unloading its two models takes 3 s on two idle cores.
_EXIT_SECONDS = 6


def prepare_backends(folder: Path) -> Path:
    """Lay out Triton's Python backend with the stub built for this Python; returns the backend directory.

    Raises:
        FileNotFoundError: the wheel is missing or has no stub for this Python.
    """
    server = _wheel_folder() / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.exists():
        raise FileNotFoundError(f"nvidia-pytriton has no Python backend stub for Python {version}")
    backend = folder / "python"
    backend.mkdir(parents=True, exist_ok=True)
    for file in [*(server / "backends" / "python").glob("*.*"), stub]:
        target = backend / file.name
        if not target.exists() or target.stat().st_size != file.stat().st_size:
            shutil.copy2(file, target)
    return folder


def triton_command(settings: StackSettings, backends: Path) -> list[str]:
    """Arguments that start the server on the settings' ports with their model repository."""
    return [
        str(_wheel_folder() / "tritonserver" / "bin" / "tritonserver"),
        f"--model-repository={settings.triton_model_repository or _MODEL_REPOSITORY}",
        f"--backend-directory={backends}",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        "--metrics-address=127.0.0.1",
        f"--http-port={settings.triton_http_port}",
        f"--grpc-port={settings.triton_grpc_port}",
        f"--metrics-port={settings.triton_metrics_port}",
        f"--exit-timeout-secs={_EXIT_SECONDS}",
        "--log-info=false",
        "--allow-gpu-metrics=false",  # there is no GPU to look for
        "--pinned-memory-pool-byte-size=0",
    ]


def triton_environment() -> dict[str, str]:
    """Variables that the server and its Python stubs need."""
    # This Python's own library first: the stub would else load the system's under our standard library.
    libraries = [sysconfig.get_config_var("LIBDIR"), str(_wheel_folder().parent / "nvidia_pytriton.libs")]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        # The stub's interpreter is isolated: it does not read PYTHONPATH. It takes the first `python3` on the
        # PATH for its own program, and so finds the virtual environment that lies around it.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec("pytriton")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("nvidia-pytriton is not installed")
    return Path(spec.submodule_search_locations[0])
