"""What goes wrong costs what it is about: a region, a page or a document, and never a neighbour."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import pytest
from PIL import Image

from docparse.errors import (
    InvalidDocument,
    InvalidOption,
    LayoutUnavailable,
    PageFailure,
    VlmUnavailable,
)
from docparse.settings import Settings
from tests.docparse.pages import box
from tests.docparse.parsing import (
    PageSeen,
    grey_in,
    grey_of,
    hold_all_but_the_first,
    running_pipeline,
    say_grey,
)
from tests.fakes.vlm import hang, refusal
from tests.samples import pdf_bytes, pdf_of_sizes, pdf_with_a_broken_page

STRIP_OFFSETS = 273


def fail_page(number: int, pages: int, error: Exception) -> Callable[[PageSeen], Awaitable[None]]:
    async def fail(page: PageSeen) -> None:
        if page.grey == grey_of(number, pages):
            raise error

    return fail


def warning_codes(element: dict) -> list[str]:
    return [warning["code"] for warning in element.get("warnings", [])]


async def test_a_page_that_cannot_be_rendered_is_an_empty_page_with_a_warning(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(pdf_with_a_broken_page(3, 1), visualize=True).finish()
    assert parsing.texts == [["grey 0"], [], [f"grey {grey_of(2, 3)}"]]
    assert parsing.elements[1]["warnings"] == [
        {"code": "page_failed", "message": "Page 2 of the PDF cannot be rendered."}
    ]
    size = parsing.events[0]["pages"][1]
    pruned = parsing.elements[1]["prunedResult"]
    assert (pruned["width"], pruned["height"]) == (size["width"], size["height"])
    assert "warnings" not in parsing.elements[0]


async def test_a_page_of_a_pdf_that_is_too_large_is_an_empty_page_and_the_others_are_read(pool, tmp_path):
    """14,400 points are the most that a side has by the standard."""
    settings = Settings(spool_dir=tmp_path, max_pixels=100_000)
    data = pdf_of_sizes((200, 100), (14_400, 14_400), (200, 100))
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(data, visualize=True).finish()
        assert [len(texts) for texts in parsing.texts] == [1, 0, 1]
        assert parsing.elements[1]["warnings"] == [
            {"code": "page_failed", "message": "A page of 14400 x 14400 points is too large to render."}
        ]
        assert all(page["width"] * page["height"] <= 100_000 for page in parsing.events[0]["pages"])
        alone = pipeline.parse(data, page_ranges="2")
        with pytest.raises(InvalidDocument, match="too large to render"):
            await alone.finish()


async def test_a_frame_of_a_tiff_that_is_damaged_is_an_empty_page_with_a_warning(pool, settings):
    frames = [Image.new("L", (200, 100), grey) for grey in (0, 100, 200)]
    buffer = io.BytesIO()
    options = {"save_all": True, "compression": "tiff_adobe_deflate", "append_images": frames[1:]}
    frames[0].save(buffer, "TIFF", **options)
    with Image.open(buffer) as image:
        image.seek(1)
        (place,) = image.tag_v2[STRIP_OFFSETS]
    data = bytearray(buffer.getvalue())
    data[place : place + 8] = bytes(8)
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(bytes(data), kind="tiff").finish()
    assert [len(texts) for texts in parsing.texts] == [1, 0, 1]
    assert parsing.elements[1]["warnings"] == [
        {"code": "page_failed", "message": "Page 2 of the TIFF cannot be decoded."}
    ]


async def test_a_page_whose_layout_fails_is_an_empty_page_with_a_warning(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = fail_page(1, 3, PageFailure("The layout of a page was not found."))
        parsing = await pipeline.parse(pdf_bytes(3)).finish()
    assert [len(texts) for texts in parsing.texts] == [1, 0, 1]
    assert warning_codes(parsing.elements[1]) == ["page_failed"]


async def test_our_own_mistake_costs_its_page_and_tells_nothing_of_the_inside(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = fail_page(1, 3, KeyError("secret"))
        parsing = await pipeline.parse(pdf_bytes(3)).finish()
    assert [len(texts) for texts in parsing.texts] == [1, 0, 1]
    assert parsing.elements[1]["warnings"] == [{"code": "internal", "message": "Page 2 could not be parsed."}]


async def test_a_failed_page_is_restructured_with_the_others(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(pdf_with_a_broken_page(3, 1), restructure_pages=True).finish()
    assert [len(texts) for texts in parsing.texts] == [1, 0, 1]
    assert warning_codes(parsing.elements[1]) == ["page_failed"]


async def test_the_only_page_of_a_document_that_cannot_be_rendered_is_an_invalid_document(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = pipeline.parse(pdf_with_a_broken_page(3, 1), page_ranges="2")
        with pytest.raises(InvalidDocument, match="Page 2 of the PDF cannot be rendered"):
            await parsing.finish()
    assert parsing.elements == {}


async def test_a_layout_model_that_comes_back_in_time_costs_nothing(pool, settings):
    failures = 0

    async def fail_at_first(page: PageSeen) -> None:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise LayoutUnavailable("Layout detection is not available; try again later.")

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = fail_at_first
        parsing = await pipeline.parse(pdf_bytes(2)).finish()
    assert parsing.texts == [["grey 0"], [f"grey {grey_of(1, 2)}"]]


async def test_a_layout_model_that_is_gone_ends_the_document_and_its_other_pages(pool, tmp_path):
    async def fail_the_last(page: PageSeen) -> None:
        if page.grey != grey_of(2, 3):
            await asyncio.Event().wait()
        await pipeline.until(lambda: pipeline.layout.running == 3)
        raise LayoutUnavailable("Layout detection is not available; try again later.")

    settings = Settings(spool_dir=tmp_path, layout_patience=0)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = fail_the_last
        parsing = pipeline.parse(pdf_bytes(3))
        with pytest.raises(LayoutUnavailable):
            await parsing.finish()
        assert (pipeline.layout.cancelled, pipeline.layout.running) == (2, 0)
        pipeline.layout.before = None
        assert len((await pipeline.parse(pdf_bytes(3)).finish()).elements) == 3


async def test_a_vlm_that_dies_ends_the_document_and_its_other_pages(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before, pipeline.vlm.reply = hold_all_but_the_first, hang
        parsing = pipeline.parse(pdf_bytes(3))
        await pipeline.vlm.wait_for_completions(1)
        await pipeline.until(lambda: len(pipeline.layout.seen) == 3)
        await pipeline.vlm.stop()
        with pytest.raises(VlmUnavailable):
            await parsing.finish()
        assert (pipeline.layout.cancelled, parsing.elements) == (2, {})
        await pipeline.vlm.start()
        pipeline.layout.before, pipeline.vlm.reply = None, say_grey
        assert len((await pipeline.parse(pdf_bytes(3)).finish()).elements) == 3


async def test_a_region_that_the_vlm_refuses_costs_its_block_and_gives_a_warning(pool, settings):
    async def refuse_the_formula(completion):
        if completion.prompt == "Formula Recognition:":
            return refusal(400, "too long")
        return await say_grey(completion)

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = refuse_the_formula
        pipeline.layout.boxes = [
            box("text", 20, 20, 380, 80), box("display_formula", 20, 100, 380, 130),
            box("text", 20, 140, 380, 180),
        ]  # fmt: skip
        parsing = await pipeline.parse(pdf_bytes(2)).finish()
    assert parsing.texts == [["grey 0", "", "grey 0"], ["grey 128", "", "grey 128"]]
    for element in parsing.elements.values():
        (warning,) = element["warnings"]
        assert (warning["code"], warning["blockId"]) == ("region_failed", 1)
        assert "too long" in warning["message"]


async def test_wrong_options_are_refused_before_anything_is_announced(pool, settings, tmp_path):
    async with running_pipeline(pool, settings) as pipeline:
        for wrong in ({"page_ranges": "9"}, {"prompt_label": "poem"}, {"use_doc_unwarping": True}):
            parsing = pipeline.parse(pdf_bytes(2), **wrong)
            with pytest.raises(InvalidOption):
                await parsing.finish()
            assert parsing.events == []
    assert list(tmp_path.iterdir()) == []


async def test_one_page_of_a_region_that_hangs_does_not_hold_back_another_document(pool, settings):
    async def hang_on_black(completion):
        return await (hang if grey_in(completion) == 0 else say_grey)(completion)

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = hang_on_black
        stuck = pipeline.parse(pdf_bytes(1))
        await pipeline.vlm.wait_for_completions(1)
        parsing = await pipeline.parse(pdf_bytes(4), page_ranges="2-4").finish()
        assert len(parsing.elements) == 3
        stuck.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck.task
