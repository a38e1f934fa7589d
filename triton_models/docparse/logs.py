"""Log lines of the Triton models."""

import logging
import re
import sys
from types import TracebackType

import orjson

# Whatever ends a line or moves the cursor, somewhere.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_USER_IN_URL = re.compile(r"//[^/@\s]*@")


def log_to_stderr(level: str) -> None:
    """Send the package's log lines to standard error, which Triton shows among its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(levelname).1s %(name)s: %(message)s"))
    logger = logging.getLogger("docparse")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def quote(value: str) -> str:
    """A value from outside: plain when it cannot be mistaken, else as JSON, so that it looks like no other field."""
    plain = value.isascii() and all(character.isalnum() or character in "-_./:" for character in value)
    return value if plain and value else orjson.dumps(value).decode()


class _LineFormatter(logging.Formatter):
    """One line a record, whatever is in it, and an indented traceback; a URL without the password that it may have."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        return _clean(super().formatMessage(record))

    def formatException(  # noqa: N802  logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "\n".join(f"  {_clean(line)}" for line in super().formatException(ei).split("\n"))


def _clean(text: str) -> str:
    printable = _CONTROLS.sub(lambda control: control[0].encode("unicode_escape").decode(), text)
    return _USER_IN_URL.sub("//", printable)
