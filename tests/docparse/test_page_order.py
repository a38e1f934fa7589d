"""Pages end in any order; the names of their pictures are the same each time, and none waits for ever."""

import asyncio
import random

import pytest

from docparse.errors import PageFailure
from docparse.settings import Settings
from tests.docparse.pages import box
from tests.docparse.parsing import PageSeen, grey_in, running_pipeline, say_grey
from tests.samples import pdf_bytes, pdf_of_sizes

PAGES = 6
FIGURE, OTHER_FIGURE = box("image", 20, 20, 180, 80), box("image", 220, 20, 380, 80)
TEXT = box("text", 20, 100, 380, 180)
# Page by page: which figures it has. One page has none, and the first does not have both.
BOXES = [
    [FIGURE, TEXT],
    [FIGURE, OTHER_FIGURE],
    [TEXT],
    [OTHER_FIGURE, TEXT],
    [FIGURE],
    [FIGURE, OTHER_FIGURE],
]


def number_of(grey: int) -> int:
    """Of a page of `pdf_bytes(PAGES)`."""
    return round(grey * PAGES / 255)


async def parse(pool, settings, seed, broken=(), **options):
    """The elements of a document whose pages are slow at random, in layout and in reading."""
    chance = random.Random(seed)
    slow = {(step, number): chance.random() * 0.05 for step in range(2) for number in range(PAGES)}

    async with running_pipeline(pool, settings) as pipeline:

        async def lay_out(page: PageSeen) -> None:
            number = number_of(page.grey)
            await asyncio.sleep(slow[0, number])
            pipeline.layout.boxes = BOXES[number]
            if number in broken:
                raise PageFailure("This page cannot be laid out.")

        async def read(completion):
            await asyncio.sleep(slow[1, number_of(grey_in(completion))])
            return await say_grey(completion)

        pipeline.layout.before, pipeline.vlm.reply = lay_out, read
        parsing = await pipeline.parse(pdf_bytes(PAGES), **options).finish()
    return parsing.elements


@pytest.mark.parametrize("options", [{}, {"restructure_pages": True}])
@pytest.mark.parametrize("broken", [(), (0,), (1, 3)])
async def test_the_same_request_gets_the_same_answer_however_its_pages_end(pool, tmp_path, options, broken):
    answers = [
        await parse(pool, Settings(spool_dir=tmp_path, **limits), seed, broken, **options)
        for seed, limits in enumerate(
            [
                {"max_pages_in_work": 1},
                {},
                {"max_pages_in_preparation": 6},
                {"max_pages_in_preparation": 6},
                {"max_pages_in_preparation": 1},
                {"max_pages_in_preparation": 2},
            ]
        )
    ]
    assert len(answers[0]) == PAGES
    assert all(answer == answers[0] for answer in answers)
    first = min(number for number in range(PAGES) if FIGURE in BOXES[number] and number not in broken)
    plain = "imgs/img_in_image_box_20_20_180_80.jpg"
    owners = [number for number, page in answers[0].items() if plain in page["markdown"]["images"]]
    assert owners == [first]


async def test_a_page_does_not_wait_for_the_texts_of_those_before_it(pool, settings):
    go_on = asyncio.Event()

    async def hold_the_first(completion):
        if grey_in(completion) == 0:
            await go_on.wait()
        return await say_grey(completion)

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = hold_the_first
        pipeline.layout.boxes = [FIGURE, TEXT]
        parsing = pipeline.parse(pdf_bytes(3))
        await pipeline.until(lambda: sorted(parsing.elements) == [1, 2])
        go_on.set()
        await parsing.finish()


async def test_a_page_that_waits_for_another_never_keeps_it_from_its_place(pool, tmp_path):
    """Places for one page only, and a first page that needs a place among large ones besides."""
    settings = Settings(spool_dir=tmp_path, max_pages_in_preparation=1, max_large_pixels_in_flight=1)
    document = pdf_of_sizes((1300, 1300), (200, 100), (1300, 1300), (200, 100))
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.boxes = [FIGURE]
        documents = [pipeline.parse(document) for _ in range(3)]
        for each in documents:
            assert sorted((await each.finish()).elements) == [0, 1, 2, 3]


async def test_a_document_that_ends_while_pages_wait_leaves_nothing_waiting(pool, settings):
    async def hold_the_first(page: PageSeen) -> None:
        if page.grey == 0:
            await asyncio.Event().wait()

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = hold_the_first
        pipeline.layout.boxes = [FIGURE]
        parsing = pipeline.parse(pdf_bytes(3))
        await pipeline.until(lambda: len(pipeline.layout.seen) == 3 and pipeline.layout.running == 1)
        parsing.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await parsing.task
        pipeline.layout.before = None
        assert len((await pipeline.parse(pdf_bytes(3)).finish()).elements) == 3
