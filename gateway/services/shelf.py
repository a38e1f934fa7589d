"""Pages of one answer that goes out when all are done: a little in memory, the rest on disk.

They come in any order and leave in their own. So what a whole answer holds in memory does not grow with its document.
"""

from contextlib import suppress

from gateway.errors import ReaderTooSlow
from gateway.services.backlog import Backlog


class Shelf:
    """One answer's pages by their numbers. `disk` is theirs alone."""

    def __init__(self, disk: Backlog, *, memory_bytes: int) -> None:
        self._disk = disk
        self._memory_bytes = memory_bytes
        self._memory: dict[int, bytes] = {}
        self._free_bytes = memory_bytes
        self._places: dict[int, tuple[int, int]] = {}
        self.total_bytes = 0

    async def put(self, number: int, page: bytes) -> None:
        """Keep a page; in memory too where there is no room on disk."""
        self.total_bytes += len(page)
        if len(page) > self._free_bytes:
            with suppress(ReaderTooSlow):
                await self._put_on_disk(number, page)
                return
        self._memory[number] = page
        self._free_bytes -= len(page)

    async def take(self, number: int) -> bytes:
        """The page, which is not kept here any more."""
        page = self._memory.pop(number, None)
        return await self._disk.read_at(*self._places[number]) if page is None else page

    async def put_away(self) -> None:
        """Nobody takes pages just now: those in memory go to disk, as far as there is room."""
        with suppress(ReaderTooSlow):
            for number in list(self._memory):
                await self._put_on_disk(number, self._memory[number])
                del self._memory[number]

    async def _put_on_disk(self, number: int, page: bytes) -> None:
        place = self._disk.disk_bytes
        await self._disk.put_on_disk(page)
        self._places[number] = (place, len(page))
