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
    return kept_environment(KEPT_IN / name, LOCKS / f"{name}.txt")


def kept_environment(folder: Path, *locks: Path) -> Path:
    """The bin folder of an environment in `folder`; installed anew when its lock files have changed.

    Raises:
        IndexUnreachable, InstallFailed: as they say.
    """
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    stamp = folder / _STAMP
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        for lock in locks:
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
