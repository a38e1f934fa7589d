"""`python -m launch`: check the settings, lay out the models, become tritonserver."""

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path

from launch.command import model_environment, server_command
from launch.models import TierSettings
from launch.problems import CannotStart
from launch.repository import SOURCE, lay_out_backends, lay_out_models, overlay_models
from launch.server import Server, find_server


def main() -> int:
    """Start Triton, which takes this process over; returns only when it was not to be started."""
    arguments = _parse_arguments()
    try:
        settings = TierSettings.from_environment()
        server = find_server()
        refuse_spaces(settings.launch.triton_dir or Path(tempfile.gettempdir()), server)
    except CannotStart as refusal:
        print("\n".join(["Triton was not started.", *refusal.problems]), file=sys.stderr, flush=True)
        return 2
    if not arguments.check:
        command, environment = prepare(settings, server)
        if not arguments.print:
            os.execve(command[0], command, environment)  # noqa: S606  no shell is wanted
        added = {name: value for name, value in environment.items() if os.environ.get(name) != value}
        print(shlex.join(["env", *(f"{name}={value}" for name, value in added.items()), *command]))
    return 0


def prepare(settings: TierSettings, server: Server) -> tuple[list[str], dict[str, str]]:
    """Lay out what Triton loads; returns its command and its whole environment."""
    folder = settings.launch.triton_dir or Path(tempfile.mkdtemp(prefix="paddleocr-vl-triton-"))
    repository = lay_out_models(settings.models, folder / "models")
    if settings.launch.triton_overlay is not None:
        overlay_models(settings.launch.triton_overlay, repository)
    backends = lay_out_backends(server, folder / "backends")
    environment = {**model_environment(folder), **os.environ, **server.environment(os.environ)}
    return server_command(settings, server, repository, backends), environment


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
    instead.add_argument("--check", action="store_true", help="only check the settings; 2 is bad")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
