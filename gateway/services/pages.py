"""Pages in flight, over all workers: when the next document that may be long can enter.

A document's pages are known only when the model has opened it. So a document that may have several (a PDF, a TIFF)
enters while fewer than `limit` pages are in flight, and counts its own as soon as the model has told them, until each
is done. A document counts at most half of the limit: one book, however long, never shuts the door, and two of them do,
until they are nearly through. Documents of one page are neither counted nor held back: the places for documents bound
them, and the model takes their page before those of books.

So the pages in flight can be more than the limit: by what one or two books have beyond their half, and by documents
that entered together before the model had told their pages. Nobody in flight ever waits for room, so all come to an
end.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.services.numbers import SharedNumber
from gateway.services.slots import SlotFile

# The rate is that of the last minute; what is older may have been another load.
RATE_SECONDS = 60.0
_SAMPLE_SECONDS = 1.0
# Before anything was measured: a page takes about two seconds.
FIRST_GUESS_PAGES_PER_SECOND = 0.5


class PagesInFlight:
    """This worker's part of the count, over a file shared by all workers."""

    def __init__(self, file: SlotFile, *, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._most_of_one = math.ceil(limit / 2)
        self._in_flight = SharedNumber(file, kind=0)
        self._rate = PageRate(file, clock)

    def count(self) -> int:
        """Pages in flight, of all workers, as far as they are counted."""
        return self._in_flight.sum()

    def has_room(self) -> bool:
        """Whether a document that may be long can enter."""
        self._rate.sample()
        return self.count() < self._limit

    def seconds_to_room(self, ahead: int) -> float:
        """Until the pages are done that keep out one more behind `ahead` who wait, at the pace of the last minute."""
        missing = self.count() - self._limit + 1 + ahead
        return max(0, missing) / self._rate.pages_per_second()

    @contextmanager
    def document(self, *, may_be_long: bool) -> Iterator["DocumentInFlight"]:
        """Count a document's pages in the body; what is left of them ends with it."""
        document = DocumentInFlight(self, counted=may_be_long)
        document.expect(1)
        try:
            yield document
        finally:
            document.expect(0)

    def _recount(self, before: int, after: int) -> None:
        before, after = min(before, self._most_of_one), min(after, self._most_of_one)
        if before != after:
            self._in_flight.set(self._in_flight.mine + after - before)

    def _page_is_done(self) -> None:
        self._rate.count()


class DocumentInFlight:
    """The pages of one document that are not done."""

    def __init__(self, pages: PagesInFlight, *, counted: bool) -> None:
        self._pages = pages
        self._counted = counted
        self._left = 0

    def expect(self, pages: int) -> None:
        """So many are to come."""
        if self._counted:
            self._pages._recount(self._left, pages)  # noqa: SLF001 - one thing in two classes
        self._left = pages

    def finish_page(self) -> None:
        """One of them is done."""
        self._pages._page_is_done()  # noqa: SLF001
        self.expect(max(0, self._left - 1))


class PageRate:
    """Pages that all workers finish in a second. Each tells how many it has finished since its start."""

    def __init__(self, file: SlotFile, clock: Callable[[], float]) -> None:
        self._finished = SharedNumber(file, kind=1)
        self._clock = clock
        # Times, and pages that all have finished by then, about a second apart.
        self._samples: deque[tuple[float, int]] = deque()

    def count(self) -> None:
        """One more page is finished here."""
        self._finished.set(self._finished.mine + 1)
        self.sample()

    def sample(self) -> None:
        """Look at the others now and then, so that there is something to compare with."""
        if not self._samples or self._clock() - self._samples[-1][0] >= _SAMPLE_SECONDS:
            self._add_sample()

    def pages_per_second(self) -> float:
        """Over the last minute, or as long as this worker has looked; a guess before that."""
        self._add_sample()
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        if last - first < _SAMPLE_SECONDS or after == before:
            return FIRST_GUESS_PAGES_PER_SECOND
        return (after - before) / (last - first)

    def _add_sample(self) -> None:
        now, finished = self._clock(), self._finished.sum()
        if self._samples and finished < self._samples[-1][1]:
            self._samples.clear()  # a worker died, and its pages with it
        while self._samples and now - self._samples[0][0] > RATE_SECONDS:
            self._samples.popleft()
        self._samples.append((now, finished))
