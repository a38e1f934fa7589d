"""The command line and the environment that Triton is started with."""

from pathlib import Path

from launch.models import TierSettings
from launch.server import Server


def server_command(
    settings: TierSettings, server: Server, repository: Path, backends: Path, region_prefix: str
) -> list[str]:
    """The program, and its arguments.

    `region_prefix` is what the names of its shared memory begin with, so that it can be told from others'.
    """
    launch = settings.launch
    uses_gpu = any(model.gpu is not None for model in settings.models)
    return [
        str(server.binary),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={region_prefix}",
        # So that `keeper` can have a model loaded anew.
        "--model-control-mode=poll",
        "--repository-poll-secs=1",
        f"--http-address={launch.triton_host}",
        f"--grpc-address={launch.triton_host}",
        f"--metrics-address={launch.triton_host}",
        f"--http-port={launch.triton_http_port}",
        f"--grpc-port={launch.triton_grpc_port}",
        f"--metrics-port={launch.triton_metrics_port}",
        f"--exit-timeout-secs={launch.triton_exit_timeout}",
        f"--log-info={'true' if settings.pipeline.log_level == 'DEBUG' else 'false'}",
        # Where no model uses a GPU there may be none to look for.
        f"--allow-gpu-metrics={'true' if uses_gpu else 'false'}",
        # For tensors on a GPU. Ours stay in the memory of processes; only inside a model they go further.
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
