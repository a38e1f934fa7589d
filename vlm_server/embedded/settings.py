"""Settings of the embedded engine."""

from dataclasses import dataclass, field

from vlm_server.host import usable_cores


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen; the command line names the same things."""

    host: str = "127.0.0.1"
    port: int = 8080
    served_model_names: tuple[str, ...] = (
        "PaddleOCR-VL-0.9B",
        "PaddleOCR-VL-1.5-0.9B",
        "PaddleOCR-VL-1.6-0.9B",
    )
    """What requests may call the model: by default what PaddleOCR's pipelines of every version do."""
    threads: int = field(default_factory=usable_cores)
    """Network calls at a time, one core each."""
    max_waiting_requests: int = 1024
    """Requests beyond those being worked on; each holds its image, so the line must end somewhere."""
    max_body_bytes: int = 64 * 1024 * 1024
    """A 100-megapixel JPEG in base64 is about half of this."""
    log_level: str = "info"
