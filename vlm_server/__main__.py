"""Start a VLM server: a real engine with a preset, or the embedded one. `plan` says what a GPU can run.

What follows `--` goes to the engine as it is.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast

_ENGINES = {
    "embedded": "vlm_server.embedded.command",
    "fastdeploy": "vlm_server.launch_command",
    "sglang": "vlm_server.launch_command",
    "vllm": "vlm_server.launch_command",
}


class _EngineCommand(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace, extra: Sequence[str]) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Parse `argv` and run the chosen engine until it is stopped; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["plan"]:
        return int(importlib.import_module("vlm_server.plan_command").main(words[1:]))
    own, extra = _split(words)
    chooser = argparse.ArgumentParser(add_help=False)
    chooser.add_argument(
        "--engine", choices=sorted(_ENGINES), default="embedded", help="what reads the images"
    )
    chosen, rest = chooser.parse_known_args(own)
    parser = argparse.ArgumentParser(prog="python -m vlm_server", description=__doc__, parents=[chooser])
    if own == rest and {"-h", "--help"} & set(own):  # no engine is named, so nobody's options are meant
        parser.epilog = "Options of an engine: --engine ENGINE --help. What a GPU can run: plan --help."
        parser.print_help()
        return 0
    # Imported only now: the embedded engine's packages are not where the others run, nor theirs where it does.
    try:
        engine = cast("_EngineCommand", importlib.import_module(_ENGINES[chosen.engine]))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "vlm_server":
            raise
        parser.exit(
            1,
            f"--engine {chosen.engine} needs Python packages that are not here, such as `{error.name}`: "
            "install requirements/vlm-embedded.txt, or name another --engine.\n",
        )
    engine.add_arguments(parser)
    return engine.run(parser.parse_args(own), extra)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """What is before and after `--`."""
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]


if __name__ == "__main__":
    raise SystemExit(main())
