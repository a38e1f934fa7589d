"""Log lines of the Triton models."""

import logging
import sys


def log_to_stderr(level: str) -> None:
    """Send the package's log lines to standard error, which Triton shows among its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname).1s %(name)s: %(message)s"))
    logger = logging.getLogger("docparse")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
