"""A concurrency limit that is shared fairly: a one-page image does not queue behind a 300-page book."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class FairLimiter:
    """At most `limit` holders at a time; free slots go round the owners that wait, one each.

    An owner is a document. Whoever waits longest is served first within an owner, and owners take
    turns, so what an owner gets does not depend on how much it asks for.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, owner: Hashable) -> AsyncIterator[None]:
        """Hold one slot for `owner`; waiting can be cancelled."""
        await self._acquire(owner)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, owner: Hashable) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # the slot was given in the same instant: pass it on
            else:
                self._forget(owner, turn)
            raise

    def _release(self) -> None:
        while self._waiting:
            owner, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[owner] = turns  # to the back of the round
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, owner: Hashable, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(owner)
        if turns is None or turn not in turns:
            return  # `_release` came across it first
        turns.remove(turn)
        if not turns:
            del self._waiting[owner]
