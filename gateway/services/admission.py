"""Who may go to Triton now, who waits, and who is sent away: one limit for all workers of the gateway.

Each kind of work has a door of its own, with its own places. A request holds one of `running` places. When
none is free it takes one of `waiting` places, and when those are gone too it is refused with advice on when to
come back. Newcomers line up behind those who wait, in this worker and in others. Within a worker the line is
first come, first served; between workers the heads of the lines look for a free place a hundred times a second,
so each has the same chance.

Documents that may be long also wait for room for their pages (`pages.py`). They have a line of their own, so that
those that do not wait for it pass them, and share the waiting places with all.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.errors import ShuttingDown, TooBusy
from gateway.models.records import RequestRecord
from gateway.services.pages import PagesInFlight
from gateway.services.slots import Places, SlotFile

# A free place in another process cannot wake us, so the head of the line looks for it. 10 ms is small beside
# the hundreds of a document, and a look is some microseconds.
POLL_SECONDS = 0.01
# Ranges of the one file, far apart: settings bound each to 65536. A door has one for running, one for waiting.
WAITING_OFFSET = 1 << 20
DOOR_RANGE = 2 * WAITING_OFFSET
# Weight of the newest document in the running mean of service times.
NEWEST_WEIGHT = 0.2
# Before anything was measured; a page takes about this long.
FIRST_GUESS_SECONDS = 2.0
LONGEST_RETRY_AFTER_SECONDS = 60


class Admission:
    """This worker's door for one kind of work, over a file shared by all workers.

    `door` numbers the kinds, from 0: it must be the same in all workers.
    """

    def __init__(
        self,
        file: SlotFile,
        *,
        max_running: int,
        max_waiting: int,
        drain_retry_after_seconds: float = 10,
        door: int = 0,
        pages: PagesInFlight | None = None,
    ) -> None:
        first = door * DOOR_RANGE
        self._running = Places(file, first_offset=first, count=max_running)
        self._waiting = Places(file, first_offset=first + WAITING_OFFSET, count=max_waiting)
        self._pages = pages
        self._lines: dict[bool, deque[asyncio.Event]] = {False: deque(), True: deque()}  # may be long
        self._mean_seconds = FIRST_GUESS_SECONDS
        self._drain_retry_after_seconds = max(1, math.ceil(drain_retry_after_seconds))
        self.draining = False

    @property
    def waiting_here(self) -> int:
        """Requests that wait in this worker."""
        return sum(map(len, self._lines.values()))

    def begin_drain(self) -> None:
        """Refuse newcomers; those in line keep their turn."""
        self.draining = True

    def refuse_when_full(self) -> None:
        """Refuse before a body is read, so that a flood costs no memory. Passing is no promise of a place.

        Raises:
            ShuttingDown: draining.
            TooBusy: every place is taken, waiting ones included.
        """
        if self.draining:
            raise ShuttingDown(
                "The service is shutting down.", retry_after_seconds=self._drain_retry_after_seconds
            )
        if not self._running.has_room() and not self._waiting.has_room():
            raise self._too_busy(may_be_long=False)

    @asynccontextmanager
    async def place(self, *, may_be_long: bool = False) -> AsyncIterator[float]:
        """Hold a running place for the body; gives the seconds waited for it.

        `may_be_long` waits for room for pages too, where they are counted.

        Raises:
            ShuttingDown: draining.
            TooBusy: every place is taken, waiting ones included.
        """
        arrived = time.monotonic()
        place = await self._enter(may_be_long=may_be_long and self._pages is not None)
        began = time.monotonic()
        try:
            yield began - arrived
        finally:
            self._running.give_back(place)
            self._mean_seconds += NEWEST_WEIGHT * (time.monotonic() - began - self._mean_seconds)
            self._hand_over()

    @asynccontextmanager
    async def place_noted(self, record: RequestRecord, *, may_be_long: bool = False) -> AsyncIterator[None]:
        """Hold a place as `place` does; the record gets the time waited, even when the wait was in vain."""
        arrived = time.monotonic()
        try:
            async with self.place(may_be_long=may_be_long) as waited:
                record.queue_seconds = waited
                yield
        finally:
            if record.queue_seconds is None:
                record.queue_seconds = time.monotonic() - arrived

    async def _enter(self, *, may_be_long: bool) -> int:
        if self.draining:
            raise ShuttingDown(
                "The service is shutting down.", retry_after_seconds=self._drain_retry_after_seconds
            )
        if not self._lines[may_be_long] and not self._waiting.taken_elsewhere():
            place = self._try_enter(may_be_long=may_be_long)
            if place is not None:
                return place
        ticket = self._waiting.try_take()
        if ticket is None:
            # All who wait may do so for room for their pages.
            place = None if may_be_long else self._try_enter(may_be_long=False)
            if place is None:
                raise self._too_busy(may_be_long=may_be_long)
            return place
        try:
            return await self._wait_in_line(may_be_long=may_be_long)
        finally:
            self._waiting.give_back(ticket)

    def _try_enter(self, *, may_be_long: bool) -> int | None:
        if may_be_long and not self._has_room_for_pages():
            return None
        return self._running.try_take()

    def _has_room_for_pages(self) -> bool:
        return self._pages is None or self._pages.has_room()

    async def _wait_in_line(self, *, may_be_long: bool) -> int:
        line, my_turn = self._lines[may_be_long], asyncio.Event()
        line.append(my_turn)
        try:
            while True:
                if line[0] is not my_turn:
                    await my_turn.wait()
                    my_turn.clear()
                else:
                    # Wait before the first look too: who came earlier, in another worker, looks before us.
                    await _wait(my_turn, POLL_SECONDS)
                place = self._try_enter(may_be_long=may_be_long)
                if place is not None:
                    return place
        finally:
            was_head = line[0] is my_turn
            line.remove(my_turn)
            if was_head and line:
                line[0].set()

    def _hand_over(self) -> None:
        """Give a freed place to our own lines at once, unless another worker has one: then all look for it."""
        lines = [line for line in self._lines.values() if line]
        if lines and not self._waiting.taken_elsewhere():
            for line in lines:
                line[0].set()

    def _too_busy(self, *, may_be_long: bool) -> TooBusy:
        what = "requests running and waiting"
        seconds = 0.0
        if not self._running.has_room():
            ahead = self._waiting.count + 1
            seconds = self._mean_seconds * ahead / self._running.count
        if may_be_long and self._pages is not None and not self._pages.has_room():
            what = "pages in work (HPS_MAX_PAGES_IN_FLIGHT)"
            seconds = max(seconds, self._pages.seconds_to_room(ahead=len(self._lines[True])))
        return TooBusy(
            f"The service is at its limit of {what}; try again later.",
            retry_after_seconds=min(LONGEST_RETRY_AFTER_SECONDS, max(1, math.ceil(seconds))),
        )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event or the time, and clear it."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()
