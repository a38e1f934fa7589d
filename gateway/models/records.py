"""What is known about one request; filled in on its way and written as one log line."""

from dataclasses import dataclass

# A client may write a book into `logId`, and gets it back; logs hold its beginning.
LONGEST_LOGGED_ID = 256


@dataclass(slots=True)
class RequestRecord:
    """Numbers and names only, never document content."""

    request_id: str
    method: str
    path: str
    log_id: str
    status: int | None = None
    error_code: str | None = None
    key_name: str | None = None
    body_bytes: int = 0
    document_kind: str | None = None
    document_bytes: int | None = None
    answer_bytes: int = 0
    pages: int | None = None
    queue_seconds: float | None = None
    inference_seconds: float | None = None
    client_gone: bool = False

    @property
    def logged_id(self) -> str:
        """`log_id`, short enough for logs."""
        return self.log_id[:LONGEST_LOGGED_ID]
