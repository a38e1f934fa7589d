"""A limit that is shared fairly: a one-page image does not queue behind a 300-page book."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    weight: int
    given: "asyncio.Future[None]"


class FairLimiter:
    """Holders share `capacity`; what is free goes round the owners that wait, one holder each.

    An owner is a document. Whoever waits longest is served first within an owner, and owners take turns,
    so what an owner gets does not depend on how much it asks for. A holder heavier than the capacity has
    it alone.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        self._waiting: OrderedDict[Hashable, deque[_Turn]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, owner: Hashable, weight: int = 1) -> AsyncIterator[None]:
        """Hold `weight` of the capacity for `owner`; waiting can be cancelled."""
        weight = min(weight, self._capacity)
        await self._acquire(owner, weight)
        try:
            yield
        finally:
            self._release(weight)

    async def _acquire(self, owner: Hashable, weight: int) -> None:
        if not self._waiting and self._free >= weight:
            self._free -= weight
            return
        turn = _Turn(weight, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn.given
        except asyncio.CancelledError:
            if turn.given.done() and not turn.given.cancelled():
                self._release(weight)  # it was given in the same instant: pass it on
            else:
                self._forget(owner, turn)
            raise

    def _release(self, weight: int) -> None:
        self._free += weight
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            owner, turns = next(iter(self._waiting.items()))
            turn = turns[0]
            if turn.weight > self._free and not turn.given.done():
                return  # nobody passes by: the heaviest would wait for ever
            turns.popleft()
            del self._waiting[owner]
            if turns:
                self._waiting[owner] = turns  # to the back of the round
            if not turn.given.done():
                self._free -= turn.weight
                turn.given.set_result(None)

    def _forget(self, owner: Hashable, turn: _Turn) -> None:
        turns = self._waiting.get(owner)
        if turns is None or turn not in turns:
            return  # `_hand_out` came across it first
        turns.remove(turn)
        if not turns:
            del self._waiting[owner]
        self._hand_out()  # it may have stood before a lighter one
