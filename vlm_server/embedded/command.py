"""`--engine embedded`: its options, and running it under uvicorn."""

import argparse
import sys
from collections.abc import Sequence

import uvicorn

from vlm_server.embedded.app import create_app
from vlm_server.embedded.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this engine's options to `parser`; defaults are those of `Settings`."""
    default = Settings()
    parser.add_argument("--host", default=default.host)
    parser.add_argument("--port", type=int, default=default.port, help="0 takes a free one and logs it")
    parser.add_argument("--served-model-name", nargs="+", default=default.served_model_names, metavar="NAME")
    parser.add_argument(
        "--threads", type=_positive, default=default.threads, help="cores to use; all by default"
    )
    parser.add_argument("--max-waiting-requests", type=_positive, default=default.max_waiting_requests)
    parser.add_argument(
        "--log-level", default=default.log_level, choices=["debug", "info", "warning", "error"]
    )


def run(arguments: argparse.Namespace, extra: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM. Returns 0, or 1 when the server could not start."""
    if extra:
        print("The embedded engine takes no further flags after `--`.", file=sys.stderr)
        return 2
    settings = Settings(
        host=arguments.host,
        port=arguments.port,
        served_model_names=tuple(arguments.served_model_name),
        threads=arguments.threads,
        max_waiting_requests=arguments.max_waiting_requests,
        log_level=arguments.log_level,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_level=settings.log_level,
            access_log=False,
            timeout_graceful_shutdown=5,  # a region takes less; longer answers are cut
        )
    )
    server.run()
    return 0 if server.started else 1


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
