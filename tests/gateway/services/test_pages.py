"""When a document that may be long can enter: made histories of several workers against the rule in plain sums."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.services.pages import FIRST_GUESS_PAGES_PER_SECOND, DocumentInFlight, PagesInFlight
from gateway.services.slots import SlotFile


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def counting(path=None, *, limit=10, clock=None) -> Iterator[PagesInFlight]:
    with SlotFile(path) as file:
        yield PagesInFlight(file, limit=limit, clock=clock or Clock())


def test_one_book_however_long_does_not_shut_the_door_and_two_do():
    with counting() as pages, pages.document(may_be_long=True) as book:
        book.expect(100_000)
        assert pages.has_room()
        with pages.document(may_be_long=True) as another:
            another.expect(5)
            assert not pages.has_room()
            another.finish_page()
            assert pages.has_room()


def test_a_book_counts_less_only_when_it_is_nearly_done():
    with counting() as pages, ExitStack() as stack:
        one, two = (stack.enter_context(pages.document(may_be_long=True)) for _ in range(2))
        one.expect(8)
        two.expect(5)
        for _ in range(3):
            one.finish_page()
            assert not pages.has_room()
        one.finish_page()
        assert pages.has_room()


def test_a_document_counts_from_its_start_before_its_pages_are_known():
    with counting(limit=3) as pages, ExitStack() as stack:
        for _ in range(3):
            assert pages.has_room()
            stack.enter_context(pages.document(may_be_long=True))
        assert not pages.has_room()


def test_documents_of_one_page_are_not_counted():
    with counting(limit=1) as pages, pages.document(may_be_long=False) as image:
        image.expect(1)
        assert pages.has_room()


def test_pages_left_by_a_failure_are_free():
    with counting(limit=1) as pages:
        with suppress(IndexError), pages.document(may_be_long=True) as book:
            book.expect(50)
            [].pop()
        assert pages.has_room()


WORKERS = st.integers(0, 3)
STEP = st.one_of(
    st.tuples(st.just("come"), WORKERS, st.integers(1, 40)),
    st.tuples(st.just("page"), WORKERS, st.integers(0, 9)),
    st.tuples(st.just("leave"), WORKERS, st.integers(0, 9)),
    st.tuples(st.just("kill"), WORKERS, st.just(0)),
)


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 30), st.lists(STEP, max_size=80))
def test_whatever_happens_all_workers_agree_and_nothing_leaks(tmp_path_factory, limit, history):
    path = tmp_path_factory.mktemp("pages") / "file"
    half = math.ceil(limit / 2)
    files: dict[int, SlotFile] = {}
    workers: dict[int, PagesInFlight] = {}
    documents: dict[int, list] = {number: [] for number in range(4)}  # of each: itself, its pages left

    def start(number: int) -> None:
        files[number] = SlotFile(path)
        workers[number] = PagesInFlight(files[number], limit=limit)

    for number in range(4):
        start(number)
    for what, number, value in history:
        mine = documents[number]
        if what == "come" and workers[number].has_room():
            document = DocumentInFlight(workers[number], counted=True)
            document.expect(value)
            mine.append([document, value])
        elif what == "page" and value < len(mine):
            mine[value][0].finish_page()
            mine[value][1] = max(0, mine[value][1] - 1)
        elif what == "leave" and value < len(mine):
            mine.pop(value)[0].expect(0)
        elif what == "kill":
            files[number].close()
            mine.clear()
            start(number)
        counted = sum(min(left, half) for each in documents.values() for _, left in each)
        assert {worker.has_room() for worker in workers.values()} == {counted < limit}
    for mine in documents.values():
        for document, _ in mine:
            document.expect(0)
    assert all(worker.has_room() for worker in workers.values())
    for file in files.values():
        file.close()


def test_the_wait_is_the_pages_that_keep_one_out_at_the_measured_rate_of_all_workers(tmp_path):
    clock = Clock()
    path = tmp_path / "file"
    with ExitStack() as stack:
        here, there = (stack.enter_context(counting(path, limit=10, clock=clock)) for _ in range(2))
        mine = stack.enter_context(here.document(may_be_long=True))
        theirs = stack.enter_context(there.document(may_be_long=True))
        mine.expect(1000)
        theirs.expect(1000)
        assert here.seconds_to_room(ahead=0) == 1 / FIRST_GUESS_PAGES_PER_SECOND
        for _ in range(20):  # a page of each in every half second: four pages a second
            clock.now += 0.5
            mine.finish_page()
            theirs.finish_page()
        assert 0.2 < here.seconds_to_room(ahead=0) < 0.3
        assert 2.5 < here.seconds_to_room(ahead=10) < 3
        for _ in range(60):  # slower by now, and the old pace is forgotten
            clock.now += 2
            mine.finish_page()
        assert 1.9 < here.seconds_to_room(ahead=0) < 2.1


def test_the_pages_of_a_worker_that_died_do_not_make_the_rate_negative(tmp_path):
    clock = Clock()
    path = tmp_path / "file"
    with counting(path, clock=clock) as here:
        with counting(path, clock=clock) as there, there.document(may_be_long=True) as theirs:
            for _ in range(5):
                clock.now += 1
                theirs.finish_page()
            here.has_room()
        clock.now += 1
        with here.document(may_be_long=True) as mine:
            mine.expect(5)
            assert here.seconds_to_room(ahead=6) == 2 / FIRST_GUESS_PAGES_PER_SECOND
