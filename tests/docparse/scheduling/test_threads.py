import asyncio
import threading

import pytest

from docparse.scheduling import FairThreads, Owner, Turn


class Gate:
    """A function for a thread, which returns when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        self.go_on.wait(60)
        return "done"


async def test_a_call_returns_what_its_function_does_and_raises_what_it_raises():
    threads = FairThreads(1)
    assert await threads.run(Turn(Owner()), divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(Turn(Owner()), divmod, 7, 0)
    threads.close()


async def test_a_letter_does_not_wait_for_all_of_a_book():
    threads, gate, order = FairThreads(1), Gate(), []
    first = asyncio.create_task(threads.run(Turn(Owner()), gate))
    book = Owner(100)
    pages = [
        asyncio.create_task(threads.run(Turn(book, 10 + page), order.append, "book")) for page in range(9)
    ]
    await asyncio.sleep(0)
    letter = asyncio.create_task(threads.run(Turn(Owner()), order.append, "letter"))
    await asyncio.sleep(0)
    gate.go_on.set()
    await asyncio.gather(first, *pages, letter)
    assert order.index("letter") <= 1
    threads.close()


async def test_what_has_begun_goes_on_when_nobody_waits_for_it_and_keeps_its_thread():
    threads, gate = FairThreads(1), Gate()
    call = asyncio.create_task(threads.run(Turn(Owner()), gate))
    await asyncio.to_thread(gate.begun.wait, 60)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    following = asyncio.create_task(threads.run(Turn(Owner()), divmod, 7, 2))
    await asyncio.sleep(0.01)
    assert not following.done()
    gate.go_on.set()
    assert await following == (3, 1)
    threads.close()
