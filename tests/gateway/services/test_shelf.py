import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.services.backlog import Backlogs
from gateway.services.shelf import Shelf

DISK = 10_000_000


def page(number: int, size: int) -> bytes:
    return random.Random(number).randbytes(size)


async def test_what_does_not_fit_in_memory_is_on_disk_until_the_answer_ends():
    backlogs = Backlogs(DISK, memory_bytes=100)
    with backlogs.open() as disk:
        shelf = Shelf(disk, memory_bytes=100)
        for number in (3, 0, 2, 1):
            await shelf.put(number, page(number, 60))
        assert backlogs.free_disk_bytes == DISK - 180
        assert shelf.total_bytes == 240
        assert [await shelf.take(number) for number in range(4)] == [page(number, 60) for number in range(4)]
    assert backlogs.free_disk_bytes == DISK


async def assert_keeps(shelf, pages):
    for number, each in enumerate(pages):
        await shelf.put(number, each)
    await shelf.put_away()
    assert [await shelf.take(number) for number in range(len(pages))] == pages


async def test_what_has_no_room_on_disk_either_stays_in_memory():
    backlogs = Backlogs(100, memory_bytes=100)
    with backlogs.open() as disk:
        shelf = Shelf(disk, memory_bytes=100)
        await assert_keeps(shelf, [page(number, 80) for number in range(5)])


async def test_a_folder_that_cannot_be_written_leaves_all_in_memory(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    backlogs = Backlogs(DISK, memory_bytes=100)
    with backlogs.open() as disk:
        shelf = Shelf(disk, memory_bytes=100)
        await assert_keeps(shelf, [page(number, 80) for number in range(3)])
    assert backlogs.free_disk_bytes == DISK


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(8)), st.lists(st.integers(0, 1000), min_size=8, max_size=8), st.integers(0, 8))
async def test_whatever_the_order_every_page_is_itself(order, sizes, put_away_after):
    backlogs = Backlogs(4000, memory_bytes=1500)
    with backlogs.open() as disk:
        shelf = Shelf(disk, memory_bytes=1500)
        for number in order:
            await shelf.put(number, page(number, sizes[number]))
        for number in range(8):
            if number == put_away_after:
                await shelf.put_away()
            assert await shelf.take(number) == page(number, sizes[number])
    assert backlogs.free_disk_bytes == 4000
