"""Files in which documents lie while they are parsed, and which no death of a process leaves behind for long."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "hps-document-"


@contextmanager
def spool_file(folder: Path | None) -> Iterator[Path]:
    """An empty file in `folder` (the system's temporary one by default) that is there for the body.

    It is locked for as long. The kernel unlocks it when this process dies, and `sweep` removes it.
    """
    handle, name = _locked(folder)
    try:
        yield Path(name)
    finally:
        # The workers keep an unlinked file readable for as long as they have it open.
        Path(name).unlink(missing_ok=True)
        os.close(handle)


def sweep(folder: Path | None) -> int:
    """Remove what processes that died have left in `folder`; returns how many files."""
    swept = 0
    for path in Path(folder or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        # Whoever has it locked lives; that of another user is not ours to remove.
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
                swept += 1
            finally:
                os.close(handle)
    return swept


def _locked(folder: Path | None) -> tuple[int, str]:
    while True:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, dir=folder)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if Path(name).stat().st_ino == os.fstat(handle).st_ino:
                return handle, name
        os.close(handle)  # it was swept before it was locked
