"""The discipline by itself, without a clock: what is promised in `docparse.scheduling.turns`, over made histories."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docparse.scheduling import Owner, Turn, TurnOrder
from docparse.scheduling.turns import ROUND_EVERY

# What happens in a line: a document of so many pages joins with some pages, or somebody's turn comes.
joins = st.tuples(st.integers(1, 50), st.lists(st.integers(0, 49), min_size=1, max_size=6))
histories = st.lists(st.one_of(joins, st.just("turn")), max_size=200)


@given(histories)
def test_whoever_waits_gets_one_of_four_turns_for_each_that_stood_before_him(history):
    line: TurnOrder[Owner] = TurnOrder()
    due: dict[Owner, int] = {}  # within how many turns

    def stand_in_line(owner: Owner) -> None:
        due[owner] = ROUND_EVERY * (list(line.owners()).index(owner) + 1)

    for event in history:
        if event != "turn":
            pages, asked = event
            owner = Owner(pages)
            for page in asked:
                line.add(Turn(owner, page), owner)
            stand_in_line(owner)
        elif len(line):
            served = line.pop()
            due = {owner: turns - 1 for owner, turns in due.items() if owner is not served}
            assert all(turns > 0 for turns in due.values())
            if served in set(line.owners()):
                stand_in_line(served)


@given(histories, st.randoms(use_true_random=False))
def test_each_entry_comes_up_once_or_is_withdrawn_and_of_a_document_the_earliest_page_first(history, random):
    line: TurnOrder[tuple[Owner, int, int]] = TurnOrder()
    waiting: dict[int, tuple[Owner, int, int]] = {}
    numbers = itertools.count()
    for event in history:
        if event != "turn":
            pages, asked = event
            owner = Owner(pages)
            for page in asked:
                entry = (owner, page, next(numbers))
                waiting[line.add(Turn(owner, page), entry)] = entry
        elif waiting and random.random() < 0.3:
            ticket = random.choice(sorted(waiting))
            del waiting[ticket]
            line.withdraw(ticket)
            line.withdraw(ticket)  # of one who has left: nothing
        elif waiting:
            entry = line.pop()
            owner, page, number = entry
            (ticket,) = [each for each, other in waiting.items() if other is entry]
            del waiting[ticket]
            assert (page, number) <= min(
                ((other[1], other[2]) for other in waiting.values() if other[0] is owner), default=(99, 0)
            )
        assert len(line) == len(waiting)
        assert set(line.owners()) == {entry[0] for entry in waiting.values()}


@given(st.integers(1, 20), st.integers(1, 30))
def test_three_of_four_turns_are_a_single_pages_own_however_many_books_there_are(books, regions):
    line: TurnOrder[str] = TurnOrder()
    for _ in range(books):
        book = Owner(100)
        for page in range(10, 20):
            line.add(Turn(book, page), "book")
    page = Owner(1)
    for _ in range(regions):
        line.add(Turn(page), "page")
    turns = 0
    while regions:
        turns += 1
        regions -= line.pop() == "page"
        assert (
            regions + turns - -(-turns // ROUND_EVERY) <= 30
        )  # what is left, and what must have been its own
    assert turns - -(-turns // ROUND_EVERY) <= 30


@dataclass(order=True)
class Document:
    """One of the simulation: it asks for the regions of its pages as soon as fewer than `ahead` pages are asked for."""

    arrives: float
    pages: int = field(compare=False)
    regions: int = field(compare=False, default=10)
    owner: Owner = field(compare=False, default_factory=Owner)
    first_page_at: float = field(compare=False, default=0.0)
    ends: float = field(compare=False, default=0.0)


class Simulation:
    """A recogniser with so many places, each call of which takes one second; documents arrive when they say.

    A document asks for `ahead` pages at a time, as the window lets it. Time is only counted.
    """

    def __init__(
        self, places: int, ahead: int = 4, next_letter: Callable[[float], Document] | None = None
    ) -> None:
        self.places = places
        self.ahead = ahead
        self.next_letter = next_letter  # comes when one of one page has gone
        self.line: TurnOrder[tuple[Document, int]] = TurnOrder()
        self.now = 0.0
        self.calls_by_document: Counter[int] = Counter()
        self._missing: dict[tuple[int, int], int] = {}
        self._asked: Counter[int] = Counter()

    def run(self, arrivals: list[Document], until: float = float("inf")) -> None:
        self._arrivals = arrivals = sorted(arrivals)
        running: list[tuple[float, int, Document, int]] = []
        numbers = itertools.count()
        while (arrivals or running) and self.now < until:
            while len(self.line) and len(running) < self.places:
                document, page = self.line.pop()
                self.calls_by_document[document.owner.number] += 1
                heapq.heappush(running, (self.now + 1, next(numbers), document, page))
            next_end = running[0][0] if running else float("inf")
            next_arrival = arrivals[0].arrives if arrivals else float("inf")
            if next_arrival <= next_end:
                self.now = next_arrival
                document = arrivals.pop(0)
                document.owner = Owner(document.pages)
                self._ask(document)
            else:
                self.now = next_end
                _, _, document, page = heapq.heappop(running)
                self._answer(document, page)

    def _ask(self, document: Document) -> None:
        number = document.owner.number
        done = document.pages - document.owner.pages_left
        while self._asked[number] < min(document.pages, done + self.ahead):
            page = self._asked[number]
            self._asked[number] += 1
            self._missing[number, page] = document.regions
            for _ in range(document.regions):
                self.line.add(Turn(document.owner, page), (document, page))

    def _answer(self, document: Document, page: int) -> None:
        key = document.owner.number, page
        self._missing[key] -= 1
        if not self._missing[key]:
            document.owner.pages_left -= 1
            if page == 0:
                document.first_page_at = self.now
            if not document.owner.pages_left:
                document.ends = self.now
                if document.pages == 1 and self.next_letter is not None:
                    self._arrivals.insert(0, self.next_letter(self.now))
            self._ask(document)


def test_a_single_page_beside_books_takes_at_most_twice_as_long_as_alone():
    letters = [Document(20.37 + 1.61 * number, 1) for number in range(40)]
    books = [Document(0.1 * number, 100) for number in range(3)]
    simulation = Simulation(places=32)
    simulation.run([*letters, *books])
    took = sorted(letter.ends - letter.arrives for letter in letters)
    assert took[int(0.95 * len(took))] <= 2 * 1.0  # alone: ten regions in ten places, one second


def test_the_first_page_of_a_book_comes_as_soon_as_that_of_a_single_page():
    late = Document(15.5, 300)
    books = [Document(0.1 * number, 100) for number in range(15)]
    Simulation(places=32).run([late, *books])
    assert late.first_page_at - late.arrives <= 2 * 1.0


def test_a_book_beside_single_pages_without_end_gets_a_fourth_of_its_fair_share():
    """There are always fifteen of them, enough to fill every place."""

    def letter(now: float) -> Document:
        return Document(now, 1, regions=20)

    book = Document(0.0, 20)
    simulation = Simulation(places=16, next_letter=letter)
    simulation.run([book, *(letter(0.01 * number) for number in range(15))], until=1000)
    fair_seconds = 16 * (20 * 10 / 16)
    assert 0 < book.ends <= ROUND_EVERY * fair_seconds
    assert sum(simulation.calls_by_document.values()) >= 0.99 * 16 * simulation.now


@pytest.mark.parametrize("pages", [100, 1000])
def test_the_share_of_a_document_does_not_depend_on_its_length(pages):
    thin, thick = Document(0.0, 80), Document(0.0, pages)
    simulation = Simulation(places=8)
    simulation.run([thin, thick], until=60)  # 480 calls, 24 pages each: neither is nearly done
    calls = [simulation.calls_by_document[each.owner.number] for each in (thin, thick)]
    assert sum(calls) >= 8 * 59
    assert abs(calls[0] - calls[1]) <= 4 * 10


def test_a_document_that_is_nearly_done_is_finished_before_those_in_the_middle():
    first, others = Document(0.0, 40), [Document(3.0, 400) for _ in range(4)]
    simulation = Simulation(places=8)
    simulation.run([first, *others], until=400)
    # Shared evenly it would take five times as long as alone; the second half of it is drawn to its end.
    assert first.ends < 0.75 * 5 * 40 * 10 / 8
