"""The discipline of every line: what has just begun and what is nearly done first, and nobody for ever last.

A turn is for one page of a document. Its rank is the smaller of two counts: the pages up to and with it, and the
pages that its document still lacks. So the first pages of a book rank with single pages, and its last pages do
again; those between wait behind them. Among equals it is what the page still asks for, and then who came first.

- Three turns of four go to the lowest rank. Within a document that is its earliest page. Serving least what has got
  most is foreground-background scheduling (L. Kleinrock, Queueing Systems II, 1976, section 4.6; also called least
  attained service); serving first what has least left is shortest remaining time first (L. Schrage, Operations
  Research 16, 1968), which finishes documents earlier on average than any other order. Both starve what is long.
- The fourth goes to the document that has waited longest since its last turn, whatever its rank. That is a round (J.
  Nagle, RFC 970, 1985), and no document's part of it depends on its length.

So with n documents in line each gets one of any 4 n turns that are handed out while it waits, whoever else comes.
"""

import heapq
import itertools
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

# One turn in so many goes round. More often would make small documents wait for large ones, less often large ones
# for small.
ROUND_EVERY = 4

_numbers = itertools.count()

T = TypeVar("T")


class Owner:
    """A document, as the lines see it.

    Attributes:
        pages_left: pages that are not finished yet; kept by whoever finishes them.
        number: documents are numbered in the order in which they came.
    """

    def __init__(self, pages: int = 1) -> None:
        self.pages_left = pages
        self.number = next(_numbers)


@dataclass(frozen=True, slots=True)
class Turn:
    """What is asked for: something for one page of a document, `page` counted from 0."""

    owner: Owner
    page: int = 0


@dataclass(slots=True)
class _Asking(Generic[T]):
    """What one owner waits for; its earliest page first, and of a page what was asked first.

    Attributes:
        heap: (page, ticket, entry); tickets that were withdrawn stay in it until they come up.
        counts: those that were not, by page.
    """

    heap: list[tuple[int, int, T]] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)

    def leave(self, page: int) -> None:
        self.counts[page] -= 1
        if not self.counts[page]:
            del self.counts[page]


class TurnOrder(Generic[T]):
    """The line itself: entries wait in it under their turn, and `pop` says which is next."""

    def __init__(self) -> None:
        # In the order of the round: who has waited longest since its last turn comes first.
        self._round: OrderedDict[Owner, _Asking[T]] = OrderedDict()
        self._numbers = itertools.count()
        self._tickets: dict[int, Turn] = {}
        self._since_round = 0

    def __len__(self) -> int:
        return len(self._tickets)

    def owners(self) -> Iterator[Owner]:
        """Who waits, in the order of the round."""
        return iter(self._round)

    def add(self, turn: Turn, entry: T) -> int:
        """Stand in line; returns a ticket for `withdraw`."""
        ticket = next(self._numbers)
        asking = self._round.setdefault(turn.owner, _Asking())
        heapq.heappush(asking.heap, (turn.page, ticket, entry))
        asking.counts[turn.page] += 1
        self._tickets[ticket] = turn
        return ticket

    def withdraw(self, ticket: int) -> None:
        """Leave the line, if it is not one's turn already."""
        turn = self._tickets.pop(ticket, None)
        if turn is not None:
            asking = self._round[turn.owner]
            asking.leave(turn.page)
            if not asking.counts:
                del self._round[turn.owner]

    def pop(self) -> T:
        """Whose turn it is; it leaves the line."""
        self._since_round += 1
        if self._since_round >= ROUND_EVERY:
            self._since_round = 0
            return self.pop_of(next(iter(self._round)))
        return self.pop_of(min(self._round, key=self._rank))

    def pop_of(self, owner: Owner) -> T:
        """The first entry of one owner, which counts as its turn."""
        asking = self._round.pop(owner)
        self._drop_withdrawn(asking)
        page, ticket, entry = heapq.heappop(asking.heap)
        del self._tickets[ticket]
        asking.leave(page)
        if asking.counts:
            self._round[owner] = asking  # to the back of the round
        return entry

    def _rank(self, owner: Owner) -> tuple[int, int, int]:
        asking = self._round[owner]
        self._drop_withdrawn(asking)
        page = asking.heap[0][0]
        return min(page + 1, owner.pages_left), asking.counts[page], owner.number

    def _drop_withdrawn(self, asking: _Asking[T]) -> None:
        while asking.heap[0][1] not in self._tickets:
            heapq.heappop(asking.heap)
