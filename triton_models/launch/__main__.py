"""`python -m launch`: check the settings, lay out the models, start tritonserver and keep its models alive."""

import argparse
import json
import os
import shlex
import sys
import tempfile
from pathlib import Path

from launch.models import TierSettings
from launch.problems import CannotStart
from launch.repository import SOURCE
from launch.server import Server, find_server
from launch.tier import Tier


def main() -> int:
    """Run Triton until it ends or is told to; returns the exit status."""
    arguments = _parse_arguments()
    try:
        settings = TierSettings.from_environment()
        server = find_server()
        refuse_spaces(settings.launch.triton_dir or Path(tempfile.gettempdir()), server)
    except CannotStart as refusal:
        print("\n".join(["Triton was not started.", *refusal.problems]), file=sys.stderr, flush=True)
        return 2
    if settings.unused_keys:
        print(f"HPS_PIPELINE_CONFIG: no effect here: {', '.join(settings.unused_keys)}.", file=sys.stderr)
    if arguments.check:
        print(json.dumps(settings.summary()))
    else:
        tier = Tier(settings, server)
        if not arguments.print:
            return tier.run()
        command, environment = tier.prepare()
        added = {name: value for name, value in environment.items() if os.environ.get(name) != value}
        print(shlex.join(["env", *(f"{name}={value}" for name, value in added.items()), *command]))
    return 0


def refuse_spaces(folder: Path, server: Server) -> None:
    """Raise CannotStart when Triton, which starts its models by a shell's line, could not start them."""
    for path in (str(folder.resolve()), sys.executable, str(SOURCE), str(server.binary)):
        if any(character.isspace() for character in path):
            raise CannotStart(f"Triton cannot start models by a path with a space in it: {path!r}.")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m launch",
        description="Starts Triton with our models. Settings are environment variables.",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--print", action="store_true", help="lay out the models and print the command")
    instead.add_argument(
        "--check", action="store_true", help="only check the settings; say in JSON what they mean"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
