"""What is left of a document's clock, and what is worth beginning in it."""

import time
from collections import deque
from collections.abc import Callable

Clock = Callable[[], float]

# No page was ever parsed in less; a document that arrives with less is not begun.
_LEAST_SECONDS = 0.05

# Pages that are remembered: enough for a judgement, and few and fresh enough to follow the load.
_RECENT_PAGES = 32
_LEAST_PAGES = 8
_RECENT_SECONDS = 60.0


class Deadline:
    """The moment at which a document's clock runs out."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    @property
    def seconds_left(self) -> float:
        """Below zero once it has passed."""
        return self._at - self._clock()


class PageTimes:
    """How long pages have taken lately, from their beginning to their end, over all documents."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._pages: deque[tuple[float, float]] = deque(maxlen=_RECENT_PAGES)

    def add(self, seconds: float) -> None:
        """A page has ended and took so long."""
        self._pages.append((self._clock(), seconds))

    def allow(self, deadline: Deadline) -> bool:
        """Whether a page that begins now can be done in time.

        It can when one of four recent pages could: some are blank, and a page that could have been done is the
        greater loss. What was measured is soon forgotten, or it would keep out those who show that it has changed.
        """
        return deadline.seconds_left > max(_LEAST_SECONDS, self._quick_page_seconds())

    def _quick_page_seconds(self) -> float:
        recent = self._clock() - _RECENT_SECONDS
        seconds = sorted(took for ended_at, took in self._pages if ended_at > recent)
        return seconds[len(seconds) // 4] if len(seconds) >= _LEAST_PAGES else 0.0
