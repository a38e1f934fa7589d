"""Which page of which document is begun next, and when: far enough ahead for the VLM, and no further."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from docparse.scheduling.turns import Owner, Turn, TurnOrder


class BegunPage:
    """A page's place in the window. Whoever begins a page must end it; both steps may be taken twice."""

    def __init__(self, window: "PageWindow", owner: Owner, on_prepared: Callable[[], None]) -> None:
        self._window = window
        self._owner = owner
        self._on_prepared = on_prepared
        self._preparing = self._in_work = True

    def prepared(self) -> None:
        """It holds no pixels any more: the next page may be prepared."""
        if self._preparing:
            self._preparing = False
            self._on_prepared()
            self._window.leave_preparation()

    def end(self) -> None:
        """It is sent, or given up."""
        self.prepared()
        if self._in_work:
            self._in_work = False
            self._window.leave(self._owner)


@dataclass(slots=True, eq=False)
class _Asked:
    owner: Owner
    on_prepared: Callable[[], None]
    begun: "asyncio.Future[BegunPage]"


class PageWindow:
    """Pages in work over all documents: a few in preparation, with their pixels, and more that wait to be read.

    A page is begun while fewer than `max_preparing` are in preparation, and while `is_wanted()` says that those
    who read will soon have nothing to do and fewer than `max_pages` are in work. A document that has no page in
    work may begin one in any case, so nobody waits for the length of another's line.
    """

    def __init__(self, *, max_pages: int, max_preparing: int, is_wanted: Callable[[], bool]) -> None:
        self._max_pages = max_pages
        self._max_preparing = max_preparing
        self._is_wanted = is_wanted
        self._preparing = 0
        self._in_work: Counter[Owner] = Counter()
        self._line: TurnOrder[_Asked] = TurnOrder()

    @property
    def pages_in_work(self) -> int:
        """Pages begun and not ended, over all documents."""
        return self._in_work.total()

    async def begin(self, turn: Turn, on_prepared: Callable[[], None] = lambda: None) -> BegunPage:
        """Wait until a page may be begun, and take its place; waiting can be cancelled.

        Once it was given, `on_prepared` is called when the page's pixels are gone.
        """
        asked = _Asked(turn.owner, on_prepared, asyncio.get_running_loop().create_future())
        ticket = self._line.add(turn, asked)
        self.look()
        try:
            return await asked.begun
        except asyncio.CancelledError:
            self._line.withdraw(ticket)
            if asked.begun.done() and not asked.begun.cancelled():
                asked.begun.result().end()  # it was begun in the same instant
            raise

    def look(self) -> None:
        """Begin what may be begun. To be called when the answer of `is_wanted` may have changed."""
        while len(self._line) and self._preparing < self._max_preparing:
            if self.pages_in_work < self._max_pages and self._is_wanted():
                asked = self._line.pop()
            else:
                idle = next((owner for owner in self._line.owners() if not self._in_work[owner]), None)
                if idle is None:
                    return
                asked = self._line.pop_of(idle)
            if not asked.begun.cancelled():
                self._preparing += 1
                self._in_work[asked.owner] += 1
                asked.begun.set_result(BegunPage(self, asked.owner, asked.on_prepared))

    def leave_preparation(self) -> None:
        """See `BegunPage.prepared`."""
        self._preparing -= 1
        self.look()

    def leave(self, owner: Owner) -> None:
        """See `BegunPage.end`."""
        self._in_work[owner] -= 1
        if not self._in_work[owner]:
            del self._in_work[owner]
        self.look()
