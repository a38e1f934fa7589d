"""Settings of the embedded engine."""

import os
from dataclasses import dataclass, field


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen; the command line names the same things."""

    host: str = "127.0.0.1"
    port: int = 8080
    served_model_name: str = "PaddleOCR-VL-0.9B"
    threads: int = field(default_factory=_usable_cores)
    """Network calls at a time, one core each."""
    max_waiting_requests: int = 1024
    """Requests beyond those being worked on; each holds its image, so the line must end somewhere."""
    max_body_bytes: int = 64 * 1024 * 1024
    """A 100-megapixel JPEG in base64 is about half of this."""
    log_level: str = "info"
