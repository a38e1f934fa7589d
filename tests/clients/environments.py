"""Environments of third-party clients: installed once from their lock files, kept in .venv-clients/."""

import hashlib
import re
import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "requirements" / "clients"
KEPT_IN = ROOT / ".venv-clients"

# Half a gigabyte over a slow line.
_INSTALL_SECONDS = 900
_STAMP = "installed-lock.sha256"
# How pip says that it cannot reach an index, as distinct from an index that lacks a package.
_UNREACHABLE = re.compile(
    r"(after connection broken by|NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|"
    r"network is unreachable|connection timed out).{0,150}",
    re.IGNORECASE,
)


class IndexUnreachable(Exception):
    """No package index answers; the message says so in pip's words."""


class InstallFailed(Exception):
    """The index answers, but the lock file cannot be installed."""


def client_environment(name: str) -> Path:
    """The bin folder of the client's environment; installed anew when its lock file has changed.

    Raises:
        IndexUnreachable, InstallFailed: as they say.
    """
    lock = LOCKS / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder = KEPT_IN / name
    stamp = folder / _STAMP
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _install(folder / "bin" / "python", lock)
        stamp.write_text(digest)
    return folder / "bin"


def _install(python: Path, lock: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--no-deps", "--require-hashes"]
    done = subprocess.run(
        [python, "-m", "pip", "install", *options, "-r", lock],
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if unreachable := _UNREACHABLE.search(said):
        raise IndexUnreachable(f"no package index to install {lock.stem} from: {unreachable[0]}")
    raise InstallFailed(f"pip could not install {lock.name}:\n{said[-2000:]}")
