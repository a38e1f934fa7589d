import asyncio

import pytest

from gateway.deadline import Deadline, Deadlines
from gateway.errors import DeadlineExceeded, ShuttingDown


async def test_a_body_in_time_is_not_touched():
    async with Deadline(60).enforce():
        await asyncio.sleep(0)


async def test_a_deadline_that_passes_ends_the_body():
    with pytest.raises(DeadlineExceeded, match=r"0\.01 seconds"):
        async with Deadline(0.01).enforce():
            await asyncio.Event().wait()


async def test_two_bodies_share_one_clock():
    deadline = Deadline(0.01)
    with pytest.raises(DeadlineExceeded):
        async with deadline.enforce():
            await asyncio.Event().wait()
    assert deadline.remaining_seconds() == 0
    with pytest.raises(DeadlineExceeded):
        async with deadline.enforce():
            await asyncio.Event().wait()


async def test_a_timeout_of_the_body_itself_passes():
    with pytest.raises(TimeoutError):
        async with Deadline(60).enforce():
            raise TimeoutError


async def test_cancelling_from_outside_stays_a_cancellation():
    async def work():
        async with Deadline(60).enforce():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cutting_short_reaches_what_runs_and_what_comes():
    deadlines = Deadlines(60)
    deadline = deadlines.start()

    async def work():
        async with deadline.enforce():
            await asyncio.Event().wait()

    running = asyncio.create_task(work())
    await asyncio.sleep(0)
    deadlines.cut_short(0.01)
    with pytest.raises(ShuttingDown):
        await running
    with pytest.raises(ShuttingDown):
        await work()


async def test_cutting_short_never_adds_time():
    deadline = Deadline(0.01)
    deadline.cut_short(60, lambda: ShuttingDown("later"))
    with pytest.raises(DeadlineExceeded):
        async with deadline.enforce():
            await asyncio.Event().wait()
