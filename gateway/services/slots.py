"""Counting over processes: byte n of a small file is locked = place n is taken.

Open-file-description locks (Linux 3.15) belong to the open file, not to the process or the thread, and the
kernel drops them when the file is closed for any reason, kill -9 included. So no count can leak, and there is
no server, no shared memory and no cleaning up. An open file never conflicts with its own locks: what this
process holds is remembered here.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Self

# struct flock on 64-bit Linux: type, whence, start, length, pid (0 for these locks), padding.
_FLOCK = struct.Struct("@hhqqi4x")


class SlotFile:
    """One process's handle on the shared file. The file stays empty; only its locks mean something."""

    def __init__(self, path: Path | None) -> None:
        """Open `path`, made if missing; None gives a private count that no other process sees."""
        if path is None:
            self._fd = os.memfd_create("admission", os.MFD_CLOEXEC)
        else:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def close(self) -> None:
        """Let go of every place taken through this handle."""
        os.close(self._fd)

    def try_lock(self, offset: int, length: int = 1) -> bool:
        """Lock some bytes; False when another process has any of them."""
        try:
            fcntl.fcntl(
                self._fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, offset, length, 0)
            )
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def unlock(self, offset: int, length: int = 1) -> None:
        """Unlock some bytes."""
        fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, offset, length, 0))

    def locked_elsewhere(self, offset: int, length: int) -> bool:
        """Whether another process has any of these bytes."""
        return self.find_elsewhere(offset, length) is not None

    def find_elsewhere(self, offset: int, length: int) -> tuple[int, int] | None:
        """Start and length of some stretch that another process has locked, if it has any of these bytes."""
        answer = fcntl.fcntl(
            self._fd, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, offset, length, 0)
        )
        kind, _, start, locked, _ = _FLOCK.unpack(answer)
        return None if kind == fcntl.F_UNLCK else (start, locked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Places:
    """`count` places, shared by all processes that open the same file, at `first_offset` in it."""

    def __init__(self, file: SlotFile, *, first_offset: int, count: int) -> None:
        self.count = count
        self._file = file
        self._first = first_offset
        self._mine: set[int] = set()

    def try_take(self) -> int | None:
        """Take a free place and return its number, or None when all are taken."""
        for place in range(self.count):
            if place not in self._mine and self._file.try_lock(self._first + place):
                self._mine.add(place)
                return place
        return None

    def give_back(self, place: int) -> None:
        """Free a place that `try_take` returned."""
        self._mine.remove(place)
        self._file.unlock(self._first + place)

    def has_room(self) -> bool:
        """Whether a place is free just now; nothing is taken."""
        return any(
            place not in self._mine and not self._file.locked_elsewhere(self._first + place, 1)
            for place in range(self.count)
        )

    def taken_elsewhere(self) -> bool:
        """Whether another process has any place."""
        return self.count > 0 and self._file.locked_elsewhere(self._first, self.count)
