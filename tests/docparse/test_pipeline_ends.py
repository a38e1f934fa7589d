"""A document that ends before its last page, by its clock or its client, leaves nothing behind."""

import asyncio

import pytest

from docparse.errors import DeadlineExceeded
from docparse.settings import Settings
from tests.docparse.parsing import (
    HANG_SECONDS,
    PageSeen,
    hold_all_but_the_first,
    running_pipeline,
    say_grey,
    say_grey_after,
)
from tests.fakes.vlm import hang
from tests.samples import pdf_bytes


async def test_the_clock_of_a_request_ends_it_and_drops_its_calls(pool, settings, tmp_path):
    async with running_pipeline(pool, settings) as pipeline:
        await pipeline.parse(pdf_bytes(1)).finish()  # the workers are up: two seconds are long enough
        pipeline.layout.before, pipeline.vlm.reply = hold_all_but_the_first, hang
        parsing = pipeline.parse(pdf_bytes(2), seconds=2)
        with pytest.raises(DeadlineExceeded):
            await parsing.finish()
        await pipeline.vlm.wait_until_idle()
        assert [completion.cancelled for completion in pipeline.vlm.completions] == [False, True]
        assert pipeline.layout.running == 0
    assert list(tmp_path.iterdir()) == []


async def test_a_clock_that_has_run_out_already_lets_nothing_begin(pool, settings, tmp_path):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = pipeline.parse(pdf_bytes(1), seconds=-1)
        with pytest.raises(DeadlineExceeded):
            await parsing.finish()
        assert pipeline.layout.seen == []
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_document_stops_everything_and_leaves_no_file(pool, tmp_path):
    settings = Settings(spool_dir=tmp_path, layout_max_concurrency=6, max_pages_in_preparation=8)

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before, pipeline.vlm.reply = hold_all_but_the_first, hang
        parsing = pipeline.parse(pdf_bytes(40))
        await pipeline.vlm.wait_for_completions(1)
        await pipeline.until(lambda: pipeline.layout.running == settings.layout_max_concurrency)
        assert len(list(tmp_path.iterdir())) == 1
        parsing.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await parsing.task
        assert list(tmp_path.iterdir()) == []
        await pipeline.vlm.wait_until_idle()
        assert pipeline.vlm.completions[0].cancelled
        seen = len(pipeline.layout.seen)

        pipeline.layout.before, pipeline.vlm.reply = None, say_grey
        assert (await pipeline.parse(pdf_bytes(1)).finish()).texts == [["grey 0"]]
        assert len(pipeline.layout.seen) == seen + 1


async def test_a_document_that_is_cancelled_while_it_waits_gives_its_place_to_the_next(pool, tmp_path):
    go_on = asyncio.Event()

    async def hold(page: PageSeen) -> None:
        await go_on.wait()

    async with running_pipeline(pool, Settings(spool_dir=tmp_path, max_pages_in_preparation=1)) as pipeline:
        pipeline.layout.before = hold
        first = pipeline.parse(pdf_bytes(2))
        await pipeline.until(lambda: bool(pipeline.layout.seen))  # it has the only place
        second, third = (pipeline.parse(pdf_bytes(2)) for _ in range(2))
        await pipeline.until(lambda: all(parsing.events for parsing in (second, third)))
        second.task.cancel()
        go_on.set()
        await first.finish()
        await third.finish()
        with pytest.raises(asyncio.CancelledError):
            await second.task
    assert len(pipeline.layout.seen) == 4


async def test_a_client_that_leaves_while_its_document_is_written_to_disk_leaves_no_file(
    pool, settings, tmp_path
):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = pipeline.parse(bytes(50_000_000))
        await asyncio.sleep(0)  # begun, and waiting for the thread that writes
        parsing.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await parsing.task
        await asyncio.get_running_loop().shutdown_default_executor()  # the thread has finished by then
    assert list(tmp_path.iterdir()) == []


async def test_pages_that_could_not_be_done_in_time_are_not_begun_and_those_in_work_are_sent(pool, tmp_path):
    """The clock of a book runs out while its first pages are read; recent pages say that no further one can be done."""
    go_on = asyncio.Event()

    settings = Settings(spool_dir=tmp_path, vlm_max_concurrency=2, max_pages_in_work=2)
    async with running_pipeline(pool, settings) as pipeline:
        for _ in range(8):
            pipeline.page_times.add(HANG_SECONDS / 2)
        pipeline.vlm.reply = say_grey_after(go_on)
        book = pipeline.parse(pdf_bytes(9), seconds=HANG_SECONDS)
        await pipeline.vlm.wait_for_completions(2)
        for _ in range(32):
            pipeline.page_times.add(HANG_SECONDS * 2)
        go_on.set()
        with pytest.raises(DeadlineExceeded, match="too short for all pages"):
            await book.finish()
        assert sorted(book.elements) == [0, 1]
        assert len(pipeline.layout.seen) == 2
        with pytest.raises(DeadlineExceeded, match="too short for a page"):
            await pipeline.parse(pdf_bytes(1), seconds=HANG_SECONDS).finish()
    assert list(tmp_path.iterdir()) == []
