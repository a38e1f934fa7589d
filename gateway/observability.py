"""Logs: one line per event, for people or for machines, each with the logId of its request."""

import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from gateway.models.records import RequestRecord

current_record: ContextVar[RequestRecord | None] = ContextVar("current_record", default=None)

access_logger = logging.getLogger("gateway.access")


class TextFormatter(logging.Formatter):
    """2026-01-31T12:00:00.000Z INFO gateway.access message logId=..."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows when there is one."""
        text = f"{_time(record)} {record.levelname} {record.name} {record.getMessage()}"
        fields = _fields(record)
        text += "".join(f" {name}={_quote(value)}" for name, value in fields.items())
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object as text; a traceback is one of its fields."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_config(level: str, style: Literal["text", "json"]) -> dict[str, Any]:
    """Configuration for logging.config: our lines and uvicorn's through one handler on stderr."""
    formatter = TextFormatter if style == "text" else JsonFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "gateway": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": level, "propagate": False},
        },
    }


def configure_logging(level: str, style: Literal["text", "json"]) -> None:
    """Set up logging where nobody did, for example under `uvicorn --factory gateway.main:create_app`."""
    if not logging.getLogger("gateway").handlers and not logging.getLogger().handlers:
        logging.config.dictConfig(log_config(level, style))


def log_access(record: RequestRecord, seconds: float) -> None:
    """Write the one summary line of a request. Health probes show in debugging only: they never end."""
    level = logging.DEBUG if record.path.startswith("/health") else logging.INFO
    if not access_logger.isEnabledFor(level):
        return
    fields: dict[str, Any] = {
        "method": record.method,
        "path": record.path,
        "status": record.status,
        "error": record.error_code,
        "key": record.key_name,
        "seconds": round(seconds, 4),
        "queueSeconds": _rounded(record.queue_seconds),
        "inferenceSeconds": _rounded(record.inference_seconds),
        "pages": record.pages,
        "kind": record.document_kind,
        "bodyBytes": record.body_bytes,
        "documentBytes": record.document_bytes,
        "answerBytes": record.answer_bytes,
        "requestId": record.request_id if record.request_id != record.log_id else None,
    }
    access_logger.log(
        level,
        "request",
        extra={"fields": {name: value for name, value in fields.items() if value is not None}},
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = dict(getattr(record, "fields", {}))
    request = current_record.get()
    if request is not None:
        fields["logId"] = request.logged_id
    return fields


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quote(value: object) -> str:
    """A field of a text line: plain when it cannot be mistaken, else as JSON, so no value forges a line."""
    text = str(value)
    plain = text.isascii() and all(character.isalnum() or character in "-_./:" for character in text)
    return text if plain and text else orjson.dumps(text).decode()
