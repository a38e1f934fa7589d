import asyncio

import pytest

from docparse.fairness import FairLimiter


class Call:
    """Holds a slot until it is told to go on, and notes when it got it."""

    def __init__(self, limiter: FairLimiter, owner: str, order: list[str]) -> None:
        self._finish = asyncio.Event()
        self.task = asyncio.ensure_future(self._run(limiter, owner, order))

    async def _run(self, limiter: FairLimiter, owner: str, order: list[str]) -> None:
        async with limiter.slot(owner):
            order.append(owner)
            await self._finish.wait()

    async def end(self) -> None:
        self._finish.set()
        await self.task
        await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_the_limit_hold_a_slot_at_once():
    order: list[str] = []
    limiter = FairLimiter(2)
    calls = [Call(limiter, "book", order) for _ in range(5)]
    await settle()
    assert len(order) == 2
    for call in calls:
        await call.end()
    assert len(order) == 5


async def test_owners_take_turns_however_much_they_ask_for():
    order: list[str] = []
    limiter = FairLimiter(1)
    calls = [Call(limiter, "book", order) for _ in range(4)]
    await settle()
    calls += [Call(limiter, "image", order), Call(limiter, "letter", order)]
    await settle()
    for index in (0, 1, 4, 5, 2, 3):
        await calls[index].end()
    assert order == ["book", "book", "image", "letter", "book", "book"]


async def test_a_waiter_that_is_cancelled_loses_nothing_for_the_others():
    order: list[str] = []
    limiter = FairLimiter(1)
    first, second, third = (Call(limiter, name, order) for name in ("a", "b", "c"))
    await settle()
    second.task.cancel()
    await first.end()
    with pytest.raises(asyncio.CancelledError):
        await second.task
    await settle()
    assert order == ["a", "c"]
    await third.end()
    async with asyncio.timeout(1), limiter.slot("d"):
        pass


async def test_a_slot_given_to_a_waiter_in_the_instant_of_its_cancellation_is_passed_on():
    order: list[str] = []
    limiter = FairLimiter(1)
    async with limiter.slot("a"):
        second, third = (Call(limiter, name, order) for name in ("b", "c"))
        await settle()
    second.task.cancel()  # the slot is b's now, but b has not run yet
    await settle()
    assert order == ["c"]
    await third.end()


async def test_two_waiters_of_one_owner_can_be_cancelled_in_any_order():
    order: list[str] = []
    limiter = FairLimiter(1)
    first, second, third = (Call(limiter, "book", order) for _ in range(3))
    await settle()
    third.task.cancel()
    await settle()
    second.task.cancel()
    await settle()
    await first.end()
    async with asyncio.timeout(1), limiter.slot("other"):
        pass


async def test_heavy_holders_share_the_capacity_by_their_weight():
    limiter = FairLimiter(10)
    async with limiter.slot("image", 7):
        async with asyncio.timeout(1), limiter.slot("letter", 3):
            pass
        waiting = asyncio.create_task(limiter._acquire("poster", 4))
        await settle()
        assert not waiting.done()
    async with asyncio.timeout(1):
        await waiting


async def test_a_light_waiter_does_not_pass_a_heavy_one_which_would_wait_for_ever():
    limiter = FairLimiter(10)
    async with limiter.slot("a", 5):
        heavy = asyncio.create_task(limiter._acquire("b", 8))
        await settle()
        light = asyncio.create_task(limiter._acquire("c", 1))
        await settle()
        assert not light.done()
        heavy.cancel()  # nothing stands before the light one any more
        await settle()
        assert light.done()


async def test_a_holder_heavier_than_the_capacity_has_it_alone():
    limiter = FairLimiter(10)
    async with asyncio.timeout(1), limiter.slot("poster", 1000):
        other = asyncio.create_task(limiter._acquire("letter", 1))
        await settle()
        assert not other.done()
    await settle()
    assert other.done()
