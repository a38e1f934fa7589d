"""Triton as a child process: started, watched over, told to end, and cleaned up after."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import FrameType

from launch.command import model_environment, server_command
from launch.keeper import Keeper
from launch.models import TierSettings
from launch.processes import adopt_orphans, die_with_parent, kill_children, remove_shared_memory
from launch.repository import lay_out_backends, lay_out_models, make_own_folder, overlay_models
from launch.server import Server

# Beyond what requests in flight get: the models end, and the server with them.
_EXIT_EXTRA_SECONDS = 15


class Tier:
    """One Triton and all that belongs to it."""

    def __init__(self, settings: TierSettings, server: Server) -> None:
        self._settings = settings
        self._server = server
        self._temporary: Path | None = None
        self._region_prefix = f"hps-{os.getpid()}-{secrets.token_hex(4)}-"

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Lay out what Triton loads; returns its command and its whole environment."""
        place = self._settings.launch.triton_dir
        if place is None:
            place = self._temporary = Path(tempfile.mkdtemp(prefix="paddleocr-vl-triton-"))
        folder = make_own_folder(place)
        self._repository = lay_out_models(self._settings.models, folder / "models")
        if self._settings.launch.triton_overlay is not None:
            overlay_models(self._settings.launch.triton_overlay, self._repository)
        backends = lay_out_backends(self._server, folder / "backends")
        environment = {**model_environment(folder), **os.environ, **self._server.environment(os.environ)}
        command = server_command(
            self._settings, self._server, self._repository, backends, self._region_prefix
        )
        return command, environment

    def run(self) -> int:
        """Run Triton until it ends; returns its exit status, and dies of the signal that it died of."""
        command, environment = self.prepare()
        adopt_orphans()
        triton = subprocess.Popen(  # noqa: S603  our own command
            command,
            env=environment,
            preexec_fn=die_with_parent,  # noqa: PLW1509  there are no threads yet
        )
        keeper = self._keeper(triton)

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  a signal handler's signature
            keeper.stopping = True
            triton.send_signal(signal.SIGTERM)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        is_sound = keeper.run()
        if not is_sound:
            self._end(triton)
        self._clean_up()
        if triton.returncode < 0:
            die_of(-triton.returncode)
        return triton.returncode if is_sound else 1

    def _keeper(self, triton: "subprocess.Popen[bytes]") -> Keeper:
        launch = self._settings.launch
        host = "127.0.0.1" if launch.triton_host in ("0.0.0.0", "::") else launch.triton_host  # noqa: S104
        return Keeper(
            triton,
            f"http://{host}:{launch.triton_http_port}",
            self._repository,
            {model.name: model.instances for model in self._settings.models},
            retired_seconds=launch.triton_retire_seconds,
        )

    def _end(self, triton: "subprocess.Popen[bytes]") -> None:
        triton.terminate()
        try:
            triton.wait(self._settings.launch.triton_exit_timeout + _EXIT_EXTRA_SECONDS)
        except subprocess.TimeoutExpired:
            triton.kill()
            triton.wait()

    def _clean_up(self) -> None:
        kill_children()  # of a server that was killed, its stubs and theirs
        remove_shared_memory(self._region_prefix)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def die_of(number: int) -> None:
    """End this process by a signal, as its child was, so that whoever started it learns the same."""
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
