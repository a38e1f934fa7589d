"""What waits for a slow reader: in order, none lost, a little of it in memory."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ReaderTooSlow
from gateway.services.backlog import Backlogs

DISK = 1000


async def read_all(backlog):
    pieces = []
    while (piece := await backlog.get()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


async def test_what_a_slow_reader_has_not_taken_goes_to_disk_and_comes_back_in_order():
    backlogs = Backlogs(DISK, memory_bytes=100)
    with backlogs.open() as backlog:
        pieces = [bytes([number]) * 60 for number in range(10)]
        for piece in pieces:
            await backlog.put(piece)
        assert backlog.disk_bytes == 9 * 60
        assert backlogs.free_disk_bytes == DISK - 9 * 60
        backlog.finish()
        assert await read_all(backlog) == b"".join(pieces)
    assert backlogs.free_disk_bytes == DISK


async def test_a_reader_that_keeps_up_never_meets_the_disk():
    with Backlogs(0, memory_bytes=100).open() as backlog:
        for size in (90, 5000, 1):
            await backlog.put(b"x" * size)
            assert len(await backlog.get()) == size
        assert backlog.disk_bytes == 0


async def test_what_fits_neither_in_memory_nor_on_disk_is_refused_and_the_rest_is_kept():
    backlogs = Backlogs(DISK, memory_bytes=100)
    with backlogs.open() as backlog, backlogs.open() as neighbour:
        await backlog.put(b"a" * 100)
        await backlog.put(b"b" * 900)
        await neighbour.put(b"c" * 100)
        with pytest.raises(ReaderTooSlow):
            await neighbour.put(b"d" * 101)
        await neighbour.put(b"e" * 100)
        neighbour.finish()
        assert await read_all(neighbour) == b"c" * 100 + b"e" * 100
    assert backlogs.free_disk_bytes == DISK


async def test_a_folder_that_cannot_be_written_refuses_what_does_not_fit_in_memory(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    backlogs = Backlogs(DISK, memory_bytes=100)
    with backlogs.open() as backlog:
        await backlog.put(b"a" * 100)
        with pytest.raises(ReaderTooSlow):
            await backlog.put(b"b")
        backlog.finish()
        assert await read_all(backlog) == b"a" * 100
    assert backlogs.free_disk_bytes == DISK


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 400_000), max_size=12),
    # Not hypothesis's own randoms: they end a run by an exception wherever they are asked, here in another task.
    st.integers(0, 2**32).map(random.Random),
    st.none() | st.integers(0, 30),
)
def test_whatever_the_pace_every_byte_comes_once_and_in_order(sizes, chance, cancelled_after):
    content = random.Random(0).randbytes(sum(sizes))

    async def run() -> None:
        backlogs = Backlogs(10_000_000, memory_bytes=100_000)

        async def pause() -> None:
            for _ in range(chance.randrange(20)):
                await asyncio.sleep(0)

        async def produce(backlog) -> None:
            start = 0
            try:
                for size in sizes:
                    await pause()
                    await backlog.put(content[start : start + size])
                    start += size
            finally:
                backlog.finish()  # else the other side would wait for ever

        with backlogs.open() as backlog:
            producing = asyncio.create_task(produce(backlog))
            got = b""
            while (piece := await backlog.get()) is not None:
                assert piece
                got += piece
                if cancelled_after is not None and len(got) > cancelled_after * 100_000:
                    producing.cancel()
                    break
                await pause()
            else:
                await producing
                assert len(got) == len(content)
            assert content.startswith(got)
        await asyncio.wait([producing])
        assert backlogs.free_disk_bytes == 10_000_000

    asyncio.run(run())
