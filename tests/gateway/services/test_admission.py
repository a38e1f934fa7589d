import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.errors import ShuttingDown, TooBusy
from gateway.services.admission import LONGEST_RETRY_AFTER_SECONDS, WAITING_OFFSET, Admission
from gateway.services.slots import Places, SlotFile
from tests.gateway.waiting import eventually


@contextmanager
def door(path: Path | None = None, *, running: int = 1, waiting: int = 10) -> Iterator[Admission]:
    """Two doors over one path are two workers: locks belong to the open file."""
    with SlotFile(path) as file:
        yield Admission(file, max_running=running, max_waiting=waiting)


class Visitor:
    """Somebody who holds a place until told to leave."""

    def __init__(self, admission: Admission) -> None:
        self.inside = asyncio.Event()
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(admission))

    async def _visit(self, admission: Admission) -> float:
        async with admission.place() as waited:
            self.inside.set()
            await self.leave.wait()
            return waited


async def enter(admission: Admission) -> Visitor:
    visitor = Visitor(admission)
    async with asyncio.timeout(5):
        await visitor.inside.wait()
    return visitor


async def line_up(admission: Admission) -> Visitor:
    visitor = Visitor(admission)
    before = admission.waiting_here
    await eventually(lambda: admission.waiting_here > before)
    return visitor


async def finish(*visitors: Visitor) -> None:
    for visitor in visitors:
        visitor.leave.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*(visitor.task for visitor in visitors))


async def test_the_line_is_first_come_first_served():
    with door() as admission:
        visitors = [await enter(admission)]
        visitors += [await line_up(admission) for _ in range(3)]
        for now, after in pairwise(visitors):
            assert not after.inside.is_set()
            await finish(now)
            async with asyncio.timeout(5):
                await after.inside.wait()
        await finish(visitors[-1])


async def test_a_newcomer_lines_up_behind_those_who_wait_elsewhere(tmp_path):
    path = tmp_path / "door"
    with door(path) as here, door(path) as there:
        inside = await enter(here)
        waiting = await line_up(there)
        # The place is freed, but the newcomer comes before the other worker has looked.
        inside.leave.set()
        await inside.task
        newcomer = await line_up(here)
        async with asyncio.timeout(5):
            await waiting.inside.wait()
        assert not newcomer.inside.is_set()
        await finish(waiting)
        await finish(newcomer)


async def test_the_limit_holds_for_all_workers_together(tmp_path):
    path = tmp_path / "door"
    async with AsyncExitStack() as stack:
        doors = [stack.enter_context(door(path, running=3, waiting=40)) for _ in range(4)]
        inside = most = 0

        async def visit(admission: Admission) -> None:
            nonlocal inside, most
            async with admission.place():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        async with asyncio.timeout(20):
            await asyncio.gather(*(visit(doors[number % 4]) for number in range(40)))
        assert most <= 3


async def test_a_full_line_is_refused_with_advice():
    with door(waiting=1) as admission:
        inside, waiting = await enter(admission), await line_up(admission)
        with pytest.raises(TooBusy) as caught:
            async with admission.place():
                pass
        assert 1 <= caught.value.retry_after_seconds <= LONGEST_RETRY_AFTER_SECONDS
        with pytest.raises(TooBusy):
            admission.refuse_when_full()
        await finish(inside, waiting)
        admission.refuse_when_full()


async def test_without_a_line_only_the_running_places_count():
    with door(waiting=0) as admission:
        inside = await enter(admission)
        with pytest.raises(TooBusy):
            async with admission.place():
                pass
        await finish(inside)
        await finish(await enter(admission))


async def test_doors_of_one_file_have_places_of_their_own(tmp_path):
    with SlotFile(tmp_path / "doors") as file, SlotFile(tmp_path / "doors") as elsewhere:
        documents = Admission(file, max_running=65536, max_waiting=65536)
        pages = Admission(elsewhere, max_running=1, max_waiting=0, door=1)
        visitors = [await enter(documents), await enter(documents), await enter(pages)]
        with pytest.raises(TooBusy):
            pages.refuse_when_full()
        documents.refuse_when_full()
        await finish(*visitors)


async def test_who_leaves_the_line_leaves_no_trace(tmp_path):
    path = tmp_path / "door"
    with door(path) as admission, SlotFile(path) as file:
        inside = await enter(admission)
        first, second = await line_up(admission), await line_up(admission)
        first.task.cancel()
        await asyncio.wait([first.task])
        await finish(inside)
        async with asyncio.timeout(5):
            await second.inside.wait()
        await finish(second)
        assert not Places(file, first_offset=0, count=2 * WAITING_OFFSET).taken_elsewhere()


async def test_a_place_is_freed_when_its_holder_fails():
    with door() as admission:
        with pytest.raises(RuntimeError):
            async with admission.place():
                raise RuntimeError
        await finish(await enter(admission))


async def test_draining_refuses_newcomers_and_keeps_the_line():
    with door() as admission:
        inside, waiting = await enter(admission), await line_up(admission)
        admission.begin_drain()
        with pytest.raises(ShuttingDown) as caught:
            async with admission.place():
                pass
        assert caught.value.retry_after_seconds >= 1
        with pytest.raises(ShuttingDown):
            admission.refuse_when_full()
        await finish(inside)
        await finish(waiting)


async def test_the_wait_is_told():
    with door() as admission:
        inside = await enter(admission)
        waiting = await line_up(admission)
        await finish(inside, waiting)
        assert inside.task.result() < waiting.task.result()
