"""What the launcher itself can be told by environment; the rest is for the models, and only checked here."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LaunchSettings(BaseSettings):
    """Where Triton listens, and how many processes its models have."""

    model_config = SettingsConfigDict(env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True)

    triton_host: str = Field(
        "127.0.0.1",  # Triton asks nobody for a key
        description="Address that Triton listens on; 0.0.0.0 in a container.",
    )
    triton_http_port: int = Field(8000, ge=1, le=65535, description="Triton, HTTP.")
    triton_grpc_port: int = Field(8001, ge=1, le=65535, description="Triton, gRPC.")
    triton_metrics_port: int = Field(8002, ge=1, le=65535, description="Triton, metrics.")
    triton_exit_timeout: int = Field(
        30, ge=0, le=3600, description="Seconds that requests in flight get after SIGTERM."
    )
    triton_retire_seconds: float = Field(
        600,
        ge=0,
        description="Seconds that sound processes of a model get for what they have begun, when another of its "
        "processes has died and the model is loaded anew.",
    )
    triton_dir: Path | None = Field(
        None,
        description="Folder in which the launcher lays out the model repository, one for each Triton: in "
        "`paddleocr-vl-triton`, which it empties first. Default: a new temporary folder.",
    )
    triton_overlay: Path | None = Field(
        None,
        description="Folder of models that join ours, for benchmarks and tests; one with the name of ours takes "
        "its place, under our config.pbtxt unless it has one.",
    )
    restructure_instances: int = Field(
        2, ge=1, le=64, description="Processes of `restructure-pages`: pages restructured at one time."
    )
