import asyncio
import threading
from collections.abc import Callable

import pytest

from docparse.departures import Departures


class FakeStream:
    """A client that leaves when the test says so."""

    def __init__(self, answer: Callable[[], bool] = lambda: False) -> None:
        self.answer = answer
        self.asked = asyncio.Semaphore(0)
        self.threads: set[int] = set()
        self._loop = asyncio.get_running_loop()

    def is_unwanted(self) -> bool:
        self.threads.add(threading.get_ident())
        self._loop.call_soon_threadsafe(self.asked.release)
        return self.answer()


@pytest.fixture
def departures():
    departures = Departures()
    yield departures
    departures.close()


async def run(departures: Departures, stream: FakeStream, work: "asyncio.Task[None]") -> None:
    with departures.watch(stream, work):
        await asyncio.wait({work})


def start(departures: Departures, stream: FakeStream) -> "tuple[asyncio.Task[None], asyncio.Task[None]]":
    work: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(3600))
    return work, asyncio.create_task(run(departures, stream, work))


async def test_work_is_cancelled_when_its_reader_leaves_and_no_other(departures):
    leaves, stays = FakeStream(), FakeStream()
    left, watching = start(departures, leaves)
    other, watching_other = start(departures, stays)
    await leaves.asked.acquire()
    leaves.answer = lambda: True
    await watching
    assert left.cancelled()
    await stays.asked.acquire()
    assert not other.done()
    other.cancel()
    await watching_other


async def test_it_is_asked_on_another_thread_so_that_nobody_waits_for_the_answer(departures):
    free = threading.Event()
    slow = FakeStream(lambda: not free.wait(60))
    work, watching = start(departures, slow)
    await slow.asked.acquire()
    await asyncio.sleep(0)  # the event loop goes on while the question is not answered
    assert slow.threads.isdisjoint({threading.get_ident()})
    free.set()
    await slow.asked.acquire()
    work.cancel()
    await watching


async def test_one_that_cannot_be_asked_is_not_given_up_and_keeps_no_other_from_being_asked(departures):
    def fail() -> bool:
        raise RuntimeError("the server is gone")

    broken, leaves = FakeStream(fail), FakeStream(lambda: True)
    work, watching = start(departures, broken)
    left, watching_other = start(departures, leaves)
    await watching_other
    assert left.cancelled()
    for _ in range(2):
        await broken.asked.acquire()
    assert not work.done()
    work.cancel()
    await watching


async def test_work_is_cancelled_once_so_that_it_can_clean_up(departures):
    asked, cleaned = FakeStream(lambda: True), asyncio.Event()

    async def tidy() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            other = FakeStream()
            idle: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(3600))
            with departures.watch(other, idle):
                for _ in range(2):
                    await other.asked.acquire()  # two more looks
            idle.cancel()
            cleaned.set()

    work = asyncio.create_task(tidy())
    await run(departures, asked, work)
    assert cleaned.is_set()


async def test_it_begins_again_after_a_time_without_documents(departures):
    for _ in range(2):
        stream = FakeStream()
        work, watching = start(departures, stream)
        await stream.asked.acquire()
        work.cancel()
        await watching
        await asyncio.wait({departures._looking})
