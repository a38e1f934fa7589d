"""The command line and the environment that Triton is started with."""

from pathlib import Path

from launch.models import TierSettings
from launch.server import Server


def server_command(settings: TierSettings, server: Server, repository: Path, backends: Path) -> list[str]:
    """The program, and its arguments."""
    launch = settings.launch
    return [
        str(server.binary),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--http-address={launch.triton_host}",
        f"--grpc-address={launch.triton_host}",
        f"--metrics-address={launch.triton_host}",
        f"--http-port={launch.triton_http_port}",
        f"--grpc-port={launch.triton_grpc_port}",
        f"--metrics-port={launch.triton_metrics_port}",
        f"--exit-timeout-secs={launch.triton_exit_timeout}",
        f"--log-info={'true' if settings.pipeline.log_level == 'DEBUG' else 'false'}",
        "--allow-gpu-metrics=false",  # there is no GPU to look for
        "--pinned-memory-pool-byte-size=0",
    ]


def model_environment(folder: Path) -> dict[str, str]:
    """What the models' processes should have unless the operator says otherwise."""
    return {
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # threads that pass pages on would else each keep the memory of the largest
        "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime would collect usage in the home folder, to be sent home
        "PADDLE_PDX_CACHE_HOME": str(folder / "paddlex"),  # PaddleX makes this folder when it is imported
        "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",  # and would look for model hubs
    }
