"""What `make serve` can be told by environment; everything else is passed on to the tiers."""

import socket

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StackSettings(BaseSettings):
    """Ports of the local stack, and VLM servers that run elsewhere."""

    model_config = SettingsConfigDict(env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True)

    port: int = Field(8080, ge=1, le=65535, description="Gateway.")
    triton_http_port: int = Field(8000, ge=1, le=65535, description="Triton, HTTP.")
    triton_grpc_port: int = Field(8001, ge=1, le=65535, description="Triton, gRPC.")
    triton_metrics_port: int = Field(8002, ge=1, le=65535, description="Triton, metrics.")
    vlm_port: int = Field(8081, ge=1, le=65535, description="Embedded VLM server.")
    vlm_urls: str = Field(
        "", description="VLM servers to use; none is started then. Default: the embedded one."
    )
    log_level: str = Field("INFO", description="Lowest level that the tiers log.")

    @property
    def own_ports(self) -> dict[str, int]:
        """The ports that this stack will listen on, by the variable that sets them."""
        names = ["port", "triton_http_port", "triton_grpc_port", "triton_metrics_port"]
        if not self.vlm_urls:
            names.append("vlm_port")
        return {f"HPS_{name.upper()}": getattr(self, name) for name in names}


def taken_ports(ports: dict[str, int]) -> list[str]:
    """Sentences about the ports that something listens on already, or that are asked for twice."""
    problems = []
    for variable, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                problems.append(f"Port {port} ({variable}) cannot be used: {error.strerror}.")
        twin = next((other for other, same in ports.items() if same == port), variable)
        if twin != variable:
            problems.append(f"{variable} and {twin} are both {port}.")
    return problems


def free_ports(count: int) -> list[int]:
    """Loopback ports that nothing listens on now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def free_port_environment() -> dict[str, str]:
    """Environment that puts every tier of a stack on a free port."""
    names = (
        "HPS_PORT",
        "HPS_TRITON_HTTP_PORT",
        "HPS_TRITON_GRPC_PORT",
        "HPS_TRITON_METRICS_PORT",
        "HPS_VLM_PORT",
    )
    return {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
