"""A limit that is shared fairly: a one-page image does not queue behind a 300-page book."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from docparse.scheduling.turns import Turn, TurnOrder


@dataclass(slots=True, eq=False)
class _Waiting:
    weight: int
    given: "asyncio.Future[None]"


class Hold:
    """Something held of a limiter; letting go twice is once."""

    def __init__(
        self, limiter: "FairLimiter | None" = None, turn: Turn | None = None, weight: int = 0
    ) -> None:
        """Of nothing, when there is no limiter."""
        self._line = None if limiter is None or turn is None else (limiter, turn)
        self._weight = weight
        self._is_held = True

    def release(self) -> None:
        """Let go."""
        if self._line is not None and self._is_held:
            self._is_held = False
            self._line[0].release(self._weight)

    async def take_again(self) -> None:
        """Stand in line for it anew, if it was let go; waiting can be cancelled."""
        if self._line is not None and not self._is_held:
            limiter, turn = self._line
            await limiter.acquire(turn, self._weight)
            self._is_held = True


class FairLimiter:
    """Holders share `capacity`; what gets free goes to who is next by `TurnOrder`.

    A holder heavier than the capacity has it alone.

    Attributes:
        capacity: see `set_capacity`.
        on_change: called when the line has moved.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.on_change: Callable[[], None] = lambda: None
        self._held = 0
        self._line: TurnOrder[_Waiting] = TurnOrder()
        self._next: _Waiting | None = None  # whose turn it is, but there is not enough for it yet

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line) + (self._next is not None)

    @property
    def held(self) -> int:
        """How much of the capacity is taken."""
        return self._held

    def set_capacity(self, capacity: int) -> None:
        """Change the limit; what is held beyond a lower one is not taken away."""
        self.capacity = capacity
        self._hand_out()

    @asynccontextmanager
    async def slot(self, turn: Turn, weight: int = 1) -> AsyncIterator[Hold]:
        """Hold `weight` of the capacity, or what is left of the hold when the body ends; waiting can be cancelled."""
        hold = await self.hold(turn, weight)
        try:
            yield hold
        finally:
            hold.release()

    async def hold(self, turn: Turn, weight: int = 1) -> Hold:
        """As `acquire`, for whoever may let go in more than one place."""
        await self.acquire(turn, weight)
        return Hold(self, turn, weight)

    async def acquire(self, turn: Turn, weight: int = 1) -> None:
        """Take `weight` of the capacity, to be given back by `release`; waiting can be cancelled."""
        if not self.waiting and self._fits(weight):
            self._held += weight
            return
        waiting = _Waiting(weight, asyncio.get_running_loop().create_future())
        ticket = self._line.add(turn, waiting)
        self._hand_out()
        try:
            await waiting.given
        except asyncio.CancelledError:
            self._line.withdraw(ticket)
            if waiting.given.done() and not waiting.given.cancelled():
                self.release(weight)  # it was given in the same instant: pass it on
            else:
                self._hand_out()  # it may have stood before a lighter one
            raise

    def _fits(self, weight: int) -> bool:
        return self._held + weight <= self.capacity or self._held <= 0

    def release(self, weight: int = 1) -> None:
        """Give back what was acquired."""
        self._held -= weight
        self._hand_out()

    def _hand_out(self) -> None:
        while self._next is not None or (len(self._line) and self._held < self.capacity):
            if self._next is None:
                self._next = self._line.pop()
            if self._next.given.cancelled():
                self._next = None
            elif self._fits(self._next.weight):
                given, self._next = self._next, None
                self._held += given.weight
                given.given.set_result(None)
            else:
                break  # nobody passes by: the heaviest would wait for ever
        self.on_change()
