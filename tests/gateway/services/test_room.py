"""Bytes held together: never more than there is, in order, and none lost."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import TooBusy
from gateway.services.room import Lease, Line, Room

PATIENT = 60


async def settle() -> None:
    """Let every task do what it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_wait_are_served_in_order_though_a_later_one_would_fit():
    line = Line(10, wait_seconds=PATIENT)
    await line.take(8)
    served = []

    async def wait_for(size):
        await line.take(size)
        served.append(size)

    waiting = [asyncio.create_task(wait_for(size)) for size in (5, 1, 4)]
    await settle()
    assert (line.length, served) == (3, [])
    line.give_back(8)
    await settle()
    assert served == [5, 1, 4]
    assert line.free == 0
    await asyncio.gather(*waiting)


async def test_who_waits_too_long_is_told_to_come_back():
    line = Line(10, wait_seconds=0.05)
    await line.take(8)
    with pytest.raises(TooBusy) as refusal:
        await line.take(5)
    assert refusal.value.retry_after_seconds == 1
    assert (line.free, line.length) == (2, 0)


async def test_those_behind_one_who_gives_up_move_up():
    line = Line(10, wait_seconds=PATIENT)
    await line.take(8)
    large = asyncio.create_task(line.take(5))
    await settle()
    small = asyncio.create_task(line.take(2))
    await settle()
    large.cancel()
    async with asyncio.timeout(1):
        await small
    assert (line.free, line.length) == (0, 0)


@pytest.mark.parametrize("served", [False, True])
async def test_who_is_cancelled_takes_nothing(served):
    line = Line(10, wait_seconds=PATIENT)
    await line.take(8)
    task = asyncio.create_task(line.take(5))
    await settle()
    if served:
        line.give_back(8)  # its turn has come, but it has not heard of it
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (line.free, line.length) == (10 if served else 2, 0)


async def test_small_requests_do_not_wait_behind_large_ones():
    room = Room(80_000, wait_seconds=PATIENT)
    large = Lease(room)
    await large.grow_to(80_000)
    waiting = asyncio.create_task(Lease(room).grow_to(40_000))
    await settle()
    async with asyncio.timeout(1):
        await Lease(room).grow_to(500)
    waiting.cancel()


async def test_a_request_of_unknown_size_takes_room_for_a_small_one_then_for_the_largest():
    room = Room(80_000, wait_seconds=PATIENT)
    lease = Lease(room)
    await lease.grow_to_hold(10, 50_000)
    assert (room.small.free, room.large.free) == (10_000 - 625, 80_000)
    await lease.grow_to_hold(625, 50_000)
    assert room.large.free == 80_000
    await lease.grow_to_hold(626, 50_000)
    assert (room.small.free, room.large.free) == (10_000, 30_000)
    lease.shrink_to(700)
    assert room.large.free == 79_300
    lease.shrink_to(900)
    lease.release()
    lease.release()
    assert (room.small.free, room.large.free) == (10_000, 80_000)


async def test_requests_of_unknown_size_that_grow_at_once_do_not_wait_for_each_other():
    room = Room(80_000, wait_seconds=PATIENT)

    async def grow():
        lease = Lease(room)
        for size in (100, 600, 5_000, 50_000):
            await lease.grow_to_hold(size, 50_000)
            await asyncio.sleep(0)
        lease.release()

    async with asyncio.timeout(10):
        await asyncio.gather(*(grow() for _ in range(10)))
    assert (room.small.free, room.large.free) == (10_000, 80_000)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 1000), max_size=4), st.integers(0, 8), st.booleans()), max_size=12
    )
)
def test_there_is_never_more_held_than_there_is_and_nothing_is_lost(requests):
    async def run() -> None:
        room = Room(1000, wait_seconds=0.01)
        leases = []

        async def one(sizes, pauses, shrinks):
            lease = Lease(room)
            leases.append(lease)
            try:
                for size in sizes:
                    await lease.grow_to(size)
                    assert sum(each.held_bytes for each in leases) <= 1000 + 125
                    assert min(room.large.free, room.small.free) >= 0
                    for _ in range(pauses):
                        await asyncio.sleep(0)
                    if shrinks:
                        lease.shrink_to(size // 2)
            except TooBusy:
                pass
            finally:
                lease.release()

        tasks = [asyncio.create_task(one(*request)) for request in requests]
        for task in tasks[::3]:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(task.exception()) for task in tasks if not task.cancelled() and task.exception()] == []
        assert (room.large.free, room.small.free) == (1000, 125)
        assert room.large.length == room.small.length == 0

    asyncio.run(run())
