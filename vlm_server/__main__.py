"""Choose an engine and run it. Another engine is another module with `add_arguments` and `run`."""

import argparse
import importlib
from collections.abc import Sequence
from typing import Protocol, cast

_ENGINES = {"embedded": "vlm_server.embedded.command"}


class _EngineCommand(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv` and run the chosen engine until it is stopped; returns the exit status."""
    chooser = argparse.ArgumentParser(add_help=False)
    chooser.add_argument(
        "--engine", choices=sorted(_ENGINES), default="embedded", help="what reads the images"
    )
    chosen, _ = chooser.parse_known_args(argv)
    engine = cast("_EngineCommand", importlib.import_module(_ENGINES[chosen.engine]))
    parser = argparse.ArgumentParser(prog="python -m vlm_server", description=__doc__, parents=[chooser])
    engine.add_arguments(parser)
    return engine.run(parser.parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
