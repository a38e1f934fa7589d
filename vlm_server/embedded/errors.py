"""Errors in the shape and with the statuses of vLLM's OpenAI server."""

from typing import ClassVar


class ApiError(Exception):
    """Anything a client is told; subclasses carry the status and OpenAI's type name."""

    http_status: ClassVar[int] = 500
    kind: ClassVar[str] = "InternalServerError"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def body(self) -> dict[str, object]:
        """The JSON body."""
        return {
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.http_status,
            }
        }


class BadRequestError(ApiError):
    """The request cannot be served as it is."""

    http_status = 400
    kind = "BadRequestError"


class NotFoundError(ApiError):
    """No such model, or no such path."""

    http_status = 404
    kind = "NotFoundError"


class BodyTooLargeError(ApiError):
    """More bytes than `Settings.max_body_bytes`."""

    http_status = 413
    kind = "BadRequestError"


class OverloadedError(ApiError):
    """The line of waiting requests is full; come back."""

    http_status = 503
    kind = "ServiceUnavailableError"
