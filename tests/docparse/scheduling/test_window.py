"""Which pages are begun, and when."""

import asyncio

import pytest

from docparse.scheduling import BegunPage, Owner, PageWindow, Turn


class Asking:
    """A document that asks for one page after another, and keeps what it gets."""

    def __init__(self, window: PageWindow, pages: int = 100) -> None:
        self.owner = Owner(pages)
        self.pages: list[BegunPage] = []
        self.task = asyncio.ensure_future(self._ask(window, pages))

    async def _ask(self, window: PageWindow, pages: int) -> None:
        for page in range(pages):
            self.pages.append(await window.begin(Turn(self.owner, page)))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Wanted:
    def __init__(self) -> None:
        self.now = True

    def __call__(self) -> bool:
        return self.now


@pytest.fixture
def wanted() -> Wanted:
    return Wanted()


async def test_pages_are_begun_only_as_far_as_those_in_preparation_allow(wanted):
    window = PageWindow(max_pages=100, max_preparing=3, is_wanted=wanted)
    book = Asking(window)
    await settle()
    assert len(book.pages) == 3
    book.pages[1].prepared()
    book.pages[1].prepared()
    await settle()
    assert (len(book.pages), window.pages_in_work) == (4, 4)
    book.task.cancel()


async def test_no_more_than_max_pages_are_in_work(wanted):
    window = PageWindow(max_pages=5, max_preparing=3, is_wanted=wanted)
    book = Asking(window)
    for _ in range(10):
        await settle()
        for page in book.pages:
            page.prepared()
    assert (len(book.pages), window.pages_in_work) == (5, 5)
    book.pages[0].end()
    book.pages[0].end()
    await settle()
    assert (len(book.pages), window.pages_in_work) == (6, 5)
    book.task.cancel()


async def test_nothing_is_begun_ahead_while_the_readers_have_enough_but_a_document_has_always_one_page(
    wanted,
):
    wanted.now = False
    window = PageWindow(max_pages=100, max_preparing=10, is_wanted=wanted)
    books = [Asking(window) for _ in range(3)]
    await settle()
    assert [len(book.pages) for book in books] == [1, 1, 1]
    books[1].pages[0].end()
    await settle()
    assert [len(book.pages) for book in books] == [1, 2, 1]
    wanted.now = True
    window.look()
    await settle()
    assert window.pages_in_work == 10  # all of them in preparation
    for book in books:
        book.task.cancel()


async def test_a_single_page_is_begun_before_the_next_of_a_book_that_came_first(wanted):
    window = PageWindow(max_pages=1, max_preparing=1, is_wanted=wanted)
    book = Asking(window)
    await settle()
    other, letter = Asking(window, 40), Asking(window, 1)
    for _ in range(3):
        book.pages[-1].end()
        await settle()
    assert (len(letter.pages), len(other.pages)) == (0, 1)  # the same rank, and the other book came before
    other.pages[-1].end()
    await settle()
    assert len(letter.pages) == 1
    for asking in (book, other):
        asking.task.cancel()


@pytest.mark.parametrize("given", [False, True], ids=["waiting", "in the instant it is given"])
async def test_a_document_that_is_cancelled_while_it_asks_leaves_its_place_to_others(wanted, given):
    window = PageWindow(max_pages=9, max_preparing=1, is_wanted=wanted)
    released = []
    first = await window.begin(Turn(Owner(9)))
    waiting = asyncio.create_task(window.begin(Turn(Owner(9)), lambda: released.append(1)))
    await settle()
    if given:
        first.end()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.end()
    assert window.pages_in_work == 0
    assert len(released) == given
    async with asyncio.timeout(1):
        (await window.begin(Turn(Owner(1)))).end()
