import asyncio
import random

import pytest

from docparse.scheduling import FairLimiter, Owner, Turn


class Call:
    """Holds a slot until it is told to go on, and notes when it got it."""

    def __init__(
        self, limiter: FairLimiter, name: str, order: list[str], turn: Turn, weight: int = 1
    ) -> None:
        self._finish = asyncio.Event()
        self.task = asyncio.ensure_future(self._run(limiter, name, order, turn, weight))

    async def _run(self, limiter: FairLimiter, name: str, order: list[str], turn: Turn, weight: int) -> None:
        async with limiter.slot(turn, weight):
            order.append(name)
            await self._finish.wait()

    async def end(self) -> None:
        self._finish.set()
        await self.task
        await settle()


def document(pages: int = 1, page: int = 0) -> Turn:
    return Turn(Owner(pages), page)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_hold_a_slot_at_once():
    order: list[str] = []
    limiter = FairLimiter(2)
    book = document(9)
    calls = [Call(limiter, "book", order, book) for _ in range(5)]
    await settle()
    assert (len(order), limiter.held, limiter.waiting) == (2, 2, 3)
    for call in calls:
        await call.end()
    assert (len(order), limiter.held, limiter.waiting) == (5, 0, 0)


async def test_what_came_last_is_served_first_when_it_is_small_or_just_begun_or_nearly_done():
    order: list[str] = []
    limiter = FairLimiter(1)
    book, atlas, diary = document(100, 50), document(100, 2), Turn(Owner(100), 90)
    diary.owner.pages_left = 4
    first, *books = [Call(limiter, "book", order, book) for _ in range(4)]
    await settle()
    others = [
        Call(limiter, name, order, turn)
        for name, turn in [("diary", diary), ("atlas", atlas), ("letter", document())]
    ]
    await settle()
    for call in (first, *reversed(others), *books):
        await call.end()
    assert order == ["book", "letter", "atlas", "diary", "book", "book", "book"]


async def test_a_waiter_that_is_cancelled_loses_nothing_for_the_others():
    order: list[str] = []
    limiter = FairLimiter(1)
    first, second, third = (Call(limiter, name, order, document()) for name in ("a", "b", "c"))
    await settle()
    second.task.cancel()
    await first.end()
    with pytest.raises(asyncio.CancelledError):
        await second.task
    await settle()
    assert order == ["a", "c"]
    await third.end()
    async with asyncio.timeout(1), limiter.slot(document()):
        pass


async def test_a_slot_given_to_a_waiter_in_the_instant_of_its_cancellation_is_passed_on():
    order: list[str] = []
    limiter = FairLimiter(1)
    async with limiter.slot(document()):
        second, third = (Call(limiter, name, order, document()) for name in ("b", "c"))
        await settle()
    second.task.cancel()  # the slot is b's now, but b has not run yet
    await settle()
    assert order == ["c"]
    await third.end()


async def test_two_waiters_of_one_owner_can_be_cancelled_in_any_order():
    order: list[str] = []
    limiter = FairLimiter(1)
    book = document(9)
    first, second, third = (Call(limiter, "book", order, book) for _ in range(3))
    await settle()
    third.task.cancel()
    await settle()
    second.task.cancel()
    await settle()
    await first.end()
    async with asyncio.timeout(1), limiter.slot(document()):
        pass


async def test_heavy_holders_share_the_capacity_by_their_weight():
    order: list[str] = []
    limiter = FairLimiter(10)
    async with limiter.slot(document(), 7):
        async with asyncio.timeout(1), limiter.slot(document(), 3):
            pass
        poster = Call(limiter, "poster", order, document(), 4)
        await settle()
        assert order == []
    await settle()
    assert order == ["poster"]
    await poster.end()


async def test_a_light_waiter_does_not_pass_a_heavy_one_whose_turn_it_is():
    order: list[str] = []
    limiter = FairLimiter(10)
    async with limiter.slot(document(), 5):
        heavy = Call(limiter, "heavy", order, document(), 8)
        await settle()
        light = Call(limiter, "light", order, document(), 1)
        await settle()
        assert (order, limiter.waiting) == ([], 2)
        heavy.task.cancel()  # nothing stands before the light one any more
        await settle()
        assert order == ["light"]
    await light.end()


async def test_a_holder_heavier_than_the_capacity_has_it_alone():
    order: list[str] = []
    limiter = FairLimiter(10)
    async with asyncio.timeout(1), limiter.slot(document(), 1000):
        letter = Call(limiter, "letter", order, document())
        await settle()
        assert order == []
    await settle()
    assert order == ["letter"]
    await letter.end()


async def test_a_changed_capacity_holds_for_those_who_wait_and_takes_nothing_away():
    order: list[str] = []
    limiter = FairLimiter(3)
    calls = [Call(limiter, str(number), order, document()) for number in range(6)]
    await settle()
    limiter.set_capacity(1)
    await calls[0].end()
    await calls[1].end()
    assert order == ["0", "1", "2"]
    limiter.set_capacity(3)
    await settle()
    assert order == ["0", "1", "2", "3", "4"]
    for call in calls[2:]:
        await call.end()


async def test_letting_go_twice_is_once():
    limiter = FairLimiter(2)
    held = await limiter.hold(document())
    async with limiter.slot(document()):
        held.release()
        held.release()
        assert limiter.held == 1


@pytest.mark.parametrize("seed", range(20))
async def test_no_capacity_is_free_while_somebody_waits_and_none_is_lost(seed):
    """Callers of random weight come, are cancelled and go, in random order."""
    random.seed(seed)
    limiter = FairLimiter(5)
    gate = asyncio.Event()

    async def hold(turn: Turn) -> None:
        async with limiter.slot(turn):
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
            if random.random() < 0.3:
                await gate.wait()

    documents = [document(random.randint(1, 9)) for _ in range(4)]
    tasks: list[asyncio.Task[None]] = []
    for _ in range(300):
        if random.random() < 0.6:
            tasks.append(asyncio.create_task(hold(random.choice(documents))))
        elif tasks:
            random.choice(tasks).cancel()
        await asyncio.sleep(0)
        assert limiter.held == limiter.capacity or limiter.waiting == 0
        assert limiter.held <= limiter.capacity
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (limiter.held, limiter.waiting) == (0, 0)
