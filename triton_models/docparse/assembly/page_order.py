"""Lets a page wait until all pages before it have said something."""

import asyncio


class PageOrder:
    """The pages of one document, which tell in any order. For the tasks of one event loop."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._first_untold = 0
        self._moved = asyncio.Event()

    def tell(self, position: int) -> None:
        """The page at `position` (from 0) has told what it has to, or will never. Telling again does no harm."""
        if position < self._first_untold:
            return
        self._told.add(position)
        while self._first_untold in self._told:
            self._told.remove(self._first_untold)
            self._first_untold += 1
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_for_pages_before(self, position: int) -> None:
        """Return when every page before this one has told."""
        while self._first_untold < position:
            await self._moved.wait()
