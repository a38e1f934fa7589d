"""A host for prepare.sh to look at: a folder with this project's files, and programs that say what they are told to."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What prepare.sh itself and the tests' fake programs are made of; everything else is not on the PATH.
TOOLS = """awk basename bash cat chmod cp curl cut date df dirname du env find git grep gzip head mkdir mktemp mv od
printf python3 rm sed sha256sum sleep sort stat tail tar tr uname wc xargs"""
RTX_4090 = "0, NVIDIA GeForce RTX 4090, 24564, 8.9, GPU-5e5c1a3c-0000-0000-0000-000000000001"

_NVIDIA_SMI = """\
#!/bin/bash
case "$*" in
  *driver_version*) [ -n "$GPUS" ] || exit 9; echo "$DRIVER" ;;
  *query-gpu*) printf '%s\\n' "$GPUS" ;;
  -L) printf '%s\\n' "$LISTED" ;;
  *) [ -n "$GPUS" ] || { echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9; }
     echo "| NVIDIA-SMI $DRIVER    Driver Version: $DRIVER    CUDA Version: $CUDA     |" ;;
esac
"""
# `proc/images` is its store: one file an image, whose text is the id.
_DOCKER = """\
#!/bin/bash
store=$(dirname "$0")/../proc/images
mkdir -p "$store"
stack() { echo "${HPS_STACK:-gpu}"; }
first() { if grep -q ^COMPOSE_FILE=compose.basic.yaml .env; then echo basic; else echo gateway; fi; }
extended() { [ -f "deploy/compose/$(stack).yaml" ] || { echo "no deploy/compose/$(stack).yaml" >&2; return 1; }; }
file() { echo "$store/$(echo "$1" | tr '/:' '__')"; }
case "$1" in
  version) [ "$DAEMON" = up ] && echo "$DOCKER" ;;
  info) case "$*" in *Runtimes*) echo "$RUNTIMES" ;; *) echo "$SYSTEM" ;; esac ;;
  compose)
    [ -n "$COMPOSE" ] || { echo "docker: 'compose' is not a docker command." >&2; exit 1; }
    case "$2" in
      version) echo "$COMPOSE" ;;
      config) extended || exit 14
        printf 'services:\\n  a:\\n    image: ours/%s:1\\n  b:\\n    image: theirs/%s:2\\n' "$(first)" "$(stack)" ;;
      build) extended || exit 14; echo sha256:ours > "$(file "ours/$(first):1")" ;;
    esac ;;
  pull) echo sha256:theirs > "$(file "$2")" ;;
  image)
    image=${!#}
    [ -f "$(file "$image")" ] || exit 1
    case "$*" in *Size*) echo 1048576 ;; *Id*) cat "$(file "$image")" ;; esac ;;
  save) shift 2; target=$1; shift; tar -cf "$target" -C "$store" $(for i in "$@"; do basename "$(file "$i")"; done) ;;
  load) tar -xf "$3" -C "$store" ;;
  *) exit 64 ;;
esac
"""


@dataclass
class Host:
    """Its state is what the fake programs say.

    Attributes:
        folder: with prepare.sh in it.
        missing: programs that are not there.
    """

    folder: Path
    gpus: tuple[str, ...] = (RTX_4090,)
    listed: str = ""
    driver: str = "580.82.07"
    cuda: str = "13.0"
    docker: str = "28.2.2"
    daemon: str = "up"
    compose: str = "2.26.1"
    runtimes: str = '{"nvidia":{},"runc":{}}'
    system: str = "Debian GNU/Linux 12"
    toolkit: str = "1.17.8"
    kernel: str = "6.1.0-37-amd64"
    missing: set[str] = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path) -> "Host":
        """A GPU host that lacks nothing; change its attributes."""
        for name in ("prepare.sh", "models.lock", ".env.example", "compose.yaml", "compose.basic.yaml"):
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name in ("prepare", "compose"):
            shutil.copytree(ROOT / "deploy" / name, folder / "deploy" / name)
        return cls(folder)

    @property
    def env(self) -> Path:
        return self.folder / ".env"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """prepare.sh on this host, both of its outputs as `stdout`."""
        proc = self.folder / "proc" / "sys" / "kernel"
        proc.mkdir(parents=True, exist_ok=True)
        (proc / "osrelease").write_text(self.kernel)
        return subprocess.run(
            ["bash", "prepare.sh", *arguments],
            cwd=self.folder,
            env={
                "PATH": str(self._write_programs()),
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "HPS_PROC": str(self.folder / "proc"),
                "GPUS": "\n".join(self.gpus), "LISTED": self.listed, "DRIVER": self.driver, "CUDA": self.cuda,
                "DOCKER": self.docker, "DAEMON": self.daemon, "COMPOSE": self.compose, "RUNTIMES": self.runtimes,
                "SYSTEM": self.system,
                "HPS_PORT": "1",  # nothing listens there; a test's own .env says otherwise
                "no_proxy": "*",
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )  # fmt: skip

    def _write_programs(self) -> Path:
        programs = self.folder / "bin"
        shutil.rmtree(programs, ignore_errors=True)
        programs.mkdir()
        for tool in TOOLS.split():
            found = shutil.which(tool, path="/usr/bin:/bin")
            assert found is not None, tool
            (programs / tool).symlink_to(os.path.realpath(found) if tool != "awk" else found)
        fakes = {"nvidia-smi": _NVIDIA_SMI, "docker": _DOCKER}
        if self.toolkit:
            fakes["nvidia-ctk"] = f"#!/bin/bash\necho 'NVIDIA Container Toolkit CLI version {self.toolkit}'\n"
        for name, text in fakes.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        for name in self.missing:
            (programs / name).unlink()
        return programs


def mode_of(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)
