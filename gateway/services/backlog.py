"""Answers that wait for clients that read slowly: a little in memory, the rest in a file without a name.

So a slow client costs nobody else anything: neither memory, nor its place in Triton, which is free as soon as the
model is done. To stop taking events from Triton would not hold the model back (it was tried: Triton takes in all
that the model sends and keeps it in its own memory), and would keep the place.
"""

import asyncio
import logging
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import ReaderTooSlow

logger = logging.getLogger(__name__)

# Of one answer. Some pages with their pictures, or hundreds without.
MEMORY_BYTES = 8 * 1024 * 1024
READ_BYTES = 256 * 1024


class Backlogs:
    """All backlogs of a worker, and the disk that they share."""

    def __init__(self, max_disk_bytes: int, *, memory_bytes: int = MEMORY_BYTES) -> None:
        self.free_disk_bytes = max_disk_bytes
        self.memory_bytes = memory_bytes

    @contextmanager
    def open(self) -> Iterator["Backlog"]:
        """A backlog for one answer; what is left in it is dropped at the end."""
        backlog = Backlog(self)
        try:
            yield backlog
        finally:
            backlog.close()


class Backlog:
    """Bytes from one producer to one consumer, in order. What is in memory is always older than what is on disk."""

    def __init__(self, shared: Backlogs) -> None:
        self._shared = shared
        self._memory: deque[bytes] = deque()
        self._memory_bytes = 0
        self._file: int | None = None
        self._written = self._read = 0
        self._guard = threading.Lock()  # a file is not closed under a thread that is at it
        self._finished = self._closed = False
        self._changed = asyncio.Event()

    @property
    def disk_bytes(self) -> int:
        """Bytes that were put on disk."""
        return self._written

    async def put(self, data: bytes) -> None:
        """Add a piece, in memory while there is room for it. A consumer that has taken all before gets any size.

        Raises:
            ReaderTooSlow: there was no room on disk either.
        """
        on_disk = self._written > self._read
        if not on_disk and (not self._memory or self._memory_bytes + len(data) <= self._shared.memory_bytes):
            self._memory.append(data)
            self._memory_bytes += len(data)
        else:
            await self.put_on_disk(data)
        self._changed.set()

    async def put_on_disk(self, data: bytes) -> None:
        """Add a piece on disk. Raises as `put`."""
        if len(data) > self._shared.free_disk_bytes:
            raise ReaderTooSlow
        self._shared.free_disk_bytes -= len(data)
        try:
            await asyncio.to_thread(self._append, data)
        except BaseException as error:
            self._shared.free_disk_bytes += len(data)
            if not isinstance(error, OSError):
                raise
            logger.warning("an answer could not be kept on disk: %s", error)
            raise ReaderTooSlow from error
        self._written += len(data)

    def finish(self) -> None:
        """No more comes."""
        self._finished = True
        self._changed.set()

    async def get(self) -> bytes | None:
        """The next bytes, not always as they were put; None at the end."""
        while not self._memory:
            if self._written > self._read:
                data = await asyncio.to_thread(self._read_from_disk, self._read, READ_BYTES)
                self._read += len(data)
                return data
            if self._finished:
                return None
            self._changed.clear()
            await self._changed.wait()
        data = self._memory.popleft()
        self._memory_bytes -= len(data)
        return data

    async def read_at(self, place: int, size: int) -> bytes:
        """Bytes that were put on disk when `disk_bytes` was `place`; `get` does not go on from there."""
        return await asyncio.to_thread(self._read_from_disk, place, size)

    def close(self) -> None:
        """Drop all."""
        with self._guard:
            self._closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None
        self._shared.free_disk_bytes += self._written
        self._written = self._read = 0
        self._memory.clear()

    def _append(self, data: bytes) -> None:
        with self._guard:
            if self._file is None and not self._closed:
                self._file = _nameless_file()
            view, place = memoryview(data), self._written
            while view and self._file is not None:
                count = os.pwrite(self._file, view, place)
                view, place = view[count:], place + count

    def _read_from_disk(self, place: int, size: int) -> bytes:
        with self._guard:
            return b"" if self._file is None else os.pread(self._file, size, place)


def _nameless_file() -> int:
    """A file that ends with its last user, in the system's folder for temporary files."""
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())
