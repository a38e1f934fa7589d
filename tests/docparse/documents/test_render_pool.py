"""Render workers that die, hang and are closed. A named pipe in the place of a document says when one is at it."""

import asyncio
import dataclasses
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from docparse.documents import RenderPool
from docparse.documents.worker import RenderTask
from docparse.errors import InvalidDocument, PageFailure
from docparse.page_memory import open_page, reference_of
from docparse.protocol import PageSize
from tests.samples import image_bytes


@pytest.fixture
def lone() -> Iterator[RenderPool]:
    """A pool of one worker, that a test may kill."""
    pool = RenderPool(workers=1, timeout_seconds=60, max_pixels=10**8)
    yield pool
    pool.close()


class Pipe:
    """A document that a worker waits for until the test writes it."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path

    async def opened(self) -> int:
        """Our end of it, as soon as a worker has opened the other."""
        async with asyncio.timeout(60):
            return await asyncio.to_thread(os.open, self.path, os.O_WRONLY)

    async def answer(self, data: bytes) -> None:
        with os.fdopen(await self.opened(), "wb") as file:
            file.write(data)


def page_of(path: Path, index: int | None = 0) -> RenderTask:
    return RenderTask(path, path.suffix[1:], index, 2.0, 10_000_000)


async def kill(pid: int) -> None:
    """Returns when the process has ended; its parent has still to learn of it."""
    watched = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(select.select, [watched], [], [])
    finally:
        os.close(watched)


async def assert_works(pool: RenderPool, folder: Path) -> None:
    sound = folder / "sound.png"
    sound.write_bytes(image_bytes("png", (30, 20)))
    async with asyncio.timeout(60):
        assert np.shape(await pool.run(page_of(sound))) == (20, 30, 3)


@pytest.mark.parametrize(("index", "what"), [(6, "Page 7"), (None, "The document")])
async def test_a_page_that_brings_its_worker_down_twice_fails_and_the_next_is_rendered(
    lone, tmp_path, index, what
):
    deadly = Pipe(tmp_path / "deadly.png")
    rendering = asyncio.create_task(lone.run(page_of(deadly.path, index)))
    killed = []
    for _ in range(2):
        ours = await deadly.opened()
        killed += lone.worker_pids
        await kill(killed[-1])
        os.close(ours)
    with pytest.raises(PageFailure, match=f"{what} brought its render process down"):
        await rendering
    assert len(set(killed)) == 2
    await assert_works(lone, tmp_path)


async def test_a_worker_that_dies_once_costs_nothing(lone, tmp_path):
    page = Pipe(tmp_path / "page.png")
    rendering = asyncio.create_task(lone.run(page_of(page.path)))
    ours = await page.opened()
    await kill(*lone.worker_pids)
    os.close(ours)
    page.path.unlink()
    page.path.write_bytes(image_bytes("png", (30, 20)))
    assert np.shape(await rendering) == (20, 30, 3)


async def test_what_a_worker_finds_wrong_is_raised_here_and_the_worker_stays(lone, tmp_path):
    await assert_works(lone, tmp_path)
    before = lone.worker_pids
    (tmp_path / "text.png").write_bytes(b"no picture")
    with pytest.raises(InvalidDocument, match="PNG"):
        await lone.run(page_of(tmp_path / "text.png"))
    with pytest.raises(InvalidDocument):
        await lone.run(page_of(tmp_path / "missing.png"))
    assert lone.worker_pids == before


async def test_a_page_that_is_cancelled_while_it_waits_is_never_rendered(lone, tmp_path):
    first, second = Pipe(tmp_path / "first.png"), Pipe(tmp_path / "second.png")
    rendering = asyncio.create_task(lone.run(page_of(first.path)))
    waiting = asyncio.create_task(lone.run(page_of(second.path)))
    ours = await first.opened()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    os.close(ours)
    with pytest.raises(InvalidDocument):
        await rendering
    await assert_works(lone, tmp_path)  # nobody writes the second; its reader would wait for ever


async def test_a_page_that_hangs_holds_up_no_other_worker(tmp_path):
    pool = RenderPool(workers=2, timeout_seconds=60, max_pixels=10**8)
    try:
        hanging = Pipe(tmp_path / "hanging.png")
        rendering = asyncio.create_task(pool.run(page_of(hanging.path)))
        ours = await hanging.opened()
        await assert_works(pool, tmp_path)
        await assert_works(pool, tmp_path)
        os.close(ours)
        with pytest.raises(InvalidDocument):
            await rendering
    finally:
        pool.close()


async def test_a_closed_pool_leaves_no_worker_though_one_was_at_a_page(tmp_path):
    pool = RenderPool(workers=2, timeout_seconds=60, max_pixels=10**8)
    pool.warm_up()
    pids = pool.worker_pids
    assert len(pids) == 2
    page = Pipe(tmp_path / "page.png")
    rendering = asyncio.create_task(pool.run(page_of(page.path)))
    ours = await page.opened()
    await asyncio.to_thread(pool.close)
    with pytest.raises(PageFailure, match="stopping"):
        await rendering
    os.close(ours)
    assert pool.worker_pids == []
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_a_page_lies_where_other_processes_see_it(pool, tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(image_bytes("png", (30, 20)))
    page = await pool.run(dataclasses.replace(page_of(path), size=PageSize(30, 20)))
    np.testing.assert_array_equal(page, await pool.run(page_of(path)), strict=True)
    np.testing.assert_array_equal(open_page(reference_of(page)), page)


@pytest.mark.parametrize("size", [PageSize(3, 2), PageSize(40, 40)])
async def test_a_page_of_another_size_than_was_thought_is_rendered_all_the_same(pool, tmp_path, size):
    path = tmp_path / "page.png"
    path.write_bytes(image_bytes("png", (30, 20)))
    page = await pool.run(dataclasses.replace(page_of(path), size=size))
    np.testing.assert_array_equal(page, await pool.run(page_of(path)), strict=True)


async def test_a_page_that_nobody_waits_for_keeps_its_memory_until_its_worker_is_done(lone, tmp_path):
    """Another page would be drawn over, or under, by the worker that is still at it."""
    slow, sound = Pipe(tmp_path / "slow.gif"), tmp_path / "sound.png"
    given_up = asyncio.create_task(lone.run(dataclasses.replace(page_of(slow.path), size=PageSize(30, 20))))
    handle = await slow.opened()
    given_up.cancel()
    await asyncio.wait({given_up})
    taken = lone._memory.lease(20, 30).array(20, 30)
    taken[:] = 9
    with os.fdopen(handle, "wb") as file:
        file.write(image_bytes("gif", (30, 20)))
    sound.write_bytes(image_bytes("png", (30, 20)))
    await lone.run(dataclasses.replace(page_of(sound), size=PageSize(30, 20)))  # behind the other
    assert (taken == 9).all()


async def test_pages_without_end_leave_no_file_open(pool, tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(image_bytes("png", (30, 20)))
    open_files = psutil.Process().num_fds
    for _ in range(3):
        await pool.run(dataclasses.replace(page_of(path), size=PageSize(30, 20)))
    before = open_files()
    for _ in range(40):
        await pool.run(dataclasses.replace(page_of(path), size=PageSize(30, 20)))
    assert open_files() < before + 20
