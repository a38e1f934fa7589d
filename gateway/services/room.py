"""Bytes of requests that a worker holds at one time: bodies that arrive, documents that wait for Triton.

Each request has a lease. It takes room before the bytes come, waits for it in the order of arrival, and gives it
back when nothing is held here any more. Small requests have room of their own, so that none waits behind large ones.

Nobody who has room for large requests waits for more of it, so they always come to an end and make place for others.
"""

import asyncio
import math

from gateway.errors import TooBusy

# Most requests are a page or a URL; they find room even when books have taken all of theirs.
SMALL_REQUEST_BYTES = 1024 * 1024
# The room of small requests, beside the other, as a part of it; and how many it is meant for at least.
SMALL_ROOM_PART = 8
FEWEST_SMALL_REQUESTS = 16


class Line:
    """Some bytes, and those who wait for a part of them: first come, first served."""

    def __init__(self, size: int, *, wait_seconds: float) -> None:
        self.free = size
        self._waiting: dict[asyncio.Future[None], int] = {}  # in order of arrival
        self._wait_seconds = wait_seconds

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def take(self, size: int) -> None:
        """Take `size` bytes, or wait for them.

        Raises:
            TooBusy: none became free in time.
        """
        if not self._waiting and size <= self.free:
            self.free -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = size
        taken = False
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turn
            taken = True
        except TimeoutError as error:
            raise TooBusy(
                "The service is at its limit of bytes of requests held at one time; try again later.",
                retry_after_seconds=max(1, math.ceil(self._wait_seconds)),
            ) from error
        finally:
            if not taken:
                self._leave(size, turn)

    def give_back(self, size: int) -> None:
        """Let others have `size` bytes."""
        self.free += size
        while self._waiting:
            turn, wanted = next(iter(self._waiting.items()))
            if not turn.cancelled():  # else it has given up, and only not left yet
                if wanted > self.free:
                    return
                self.free -= wanted
                turn.set_result(None)
            del self._waiting[turn]

    def _leave(self, size: int, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():
            # Served in the same moment as it gave up.
            self.give_back(size)
        else:
            self._waiting.pop(turn, None)
            self.give_back(0)


class Room:
    """All the room of a worker. `size` is for large requests, and must be enough for the largest one."""

    def __init__(self, size: int, *, wait_seconds: float) -> None:
        small = size // SMALL_ROOM_PART
        self.large = Line(size, wait_seconds=wait_seconds)
        self.small = Line(small, wait_seconds=wait_seconds)
        self.small_request_bytes = min(SMALL_REQUEST_BYTES, small // FEWEST_SMALL_REQUESTS)

    def line_for(self, size: int) -> Line:
        """Where a request of this size takes its room."""
        return self.small if size <= self.small_request_bytes else self.large


class Lease:
    """The room of one request."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._line = room.small
        self.held_bytes = 0

    async def grow_to(self, size: int) -> None:
        """Take as much as is missing to `size` bytes.

        Raises:
            TooBusy: there was no room in time.
        """
        if size <= self.held_bytes:
            return
        line = self._room.line_for(size)
        if line is self._line:
            await line.take(size - self.held_bytes)
        else:
            await line.take(size)
            self._line.give_back(self.held_bytes)
        self._line, self.held_bytes = line, size

    async def grow_to_hold(self, size: int, most: int) -> None:
        """As `grow_to`, where more may come and nobody knows how much: room for a small request, else for `most`."""
        if size > self.held_bytes:
            small = self._room.small_request_bytes
            await self.grow_to(small if size <= small else max(size, most))

    def shrink_to(self, size: int) -> None:
        """Give back all but `size` bytes."""
        if size < self.held_bytes:
            self._line.give_back(self.held_bytes - size)
            self.held_bytes = size

    def release(self) -> None:
        """Give back all."""
        self.shrink_to(0)
