"""Documents through the pipeline: what is sent and when, and how much is in work at a time."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from docparse.settings import Settings
from tests.docparse.pages import box
from tests.docparse.parsing import PageSeen, grey_in, grey_of, running_pipeline, say_grey, say_grey_after
from tests.samples import image_bytes, pdf_bytes

LETTER = (100, 100)  # points; a book's pages are 200 x 100


async def test_the_document_is_announced_first_and_then_each_page_is_sent_once(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(pdf_bytes(5), page_ranges="2-5").finish()
    assert parsing.task.result() == 4
    assert parsing.events[0] == {
        "type": "document",
        "kind": "pdf",
        "pages": [{"width": 400, "height": 200}] * 4,
        "totalPages": 5,
        "renderScale": 2.0,
    }
    assert sorted(event["index"] for event in parsing.events[1:]) == [0, 1, 2, 3]
    assert parsing.texts == [[f"grey {grey_of(number, 5)}"] for number in (1, 2, 3, 4)]


async def test_an_image_has_no_render_scale(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = await pipeline.parse(image_bytes("png"), "png").finish()
    assert (parsing.events[0]["kind"], parsing.events[0]["renderScale"]) == ("image", None)


async def test_a_finished_page_is_sent_while_another_is_still_in_work(pool, settings):
    go_on = asyncio.Event()

    async def hold_the_first(page: PageSeen) -> None:
        if page.grey == grey_of(0, 3):
            await go_on.wait()

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = hold_the_first
        parsing = pipeline.parse(pdf_bytes(3))
        await pipeline.until(lambda: sorted(parsing.elements) == [1, 2])
        go_on.set()
        await parsing.finish()
    assert sorted(parsing.elements) == [0, 1, 2]


async def test_a_finished_page_is_sent_while_the_vlm_still_reads_another(pool, settings):
    go_on = asyncio.Event()

    async def hold_the_first(completion):
        if grey_in(completion) == grey_of(0, 3):
            await go_on.wait()
        return await say_grey(completion)

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = hold_the_first
        parsing = pipeline.parse(pdf_bytes(3))
        await pipeline.until(lambda: sorted(parsing.elements) == [1, 2])
        go_on.set()
        await parsing.finish()
    assert parsing.texts[0] == ["grey 0"]


async def test_no_more_than_so_many_pages_are_in_preparation_over_all_documents(pool, tmp_path):
    go_on = asyncio.Event()

    async def hold(page: PageSeen) -> None:
        await go_on.wait()

    settings = Settings(spool_dir=tmp_path, max_pages_in_preparation=4)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = hold
        books = [pipeline.parse(pdf_bytes(4)) for _ in range(2)]
        await pipeline.until(lambda: pipeline.layout.running == 4)
        letter = pipeline.parse(pdf_bytes(1, LETTER))
        await pipeline.until(lambda: bool(letter.events))  # opened, after all that was to be rendered
        assert len(pipeline.layout.seen) == 4
        go_on.set()
        for parsing in (*books, letter):
            await parsing.finish()
    assert pipeline.layout.most_running == 4


async def test_no_more_than_so_many_pages_are_in_layout_detection_over_all_documents(pool, tmp_path):
    async def take_a_while(page: PageSeen) -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    settings = Settings(spool_dir=tmp_path, layout_max_concurrency=2)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = take_a_while
        for parsing in [pipeline.parse(pdf_bytes(6)) for _ in range(2)]:
            await parsing.finish()
    assert pipeline.layout.most_running <= 2


async def test_pages_are_begun_ahead_only_until_the_vlm_has_as_much_again_to_do(pool, tmp_path):
    go_on = asyncio.Event()

    settings = Settings(spool_dir=tmp_path, vlm_max_concurrency=4, max_pages_in_preparation=1)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = say_grey_after(go_on)
        pipeline.layout.boxes = [box("text", 20, 20, 180, 80), box("table", 20, 100, 180, 180)]
        book = pipeline.parse(pdf_bytes(20), merge_layout_blocks=False)
        await pipeline.until(lambda: len(pipeline.layout.seen) == 4)  # two with the VLM, two in its line
        letter = pipeline.parse(pdf_bytes(1, LETTER))
        await pipeline.until(lambda: len(pipeline.layout.seen) == 5)  # of a document that has none in work
        await pipeline.vlm.wait_for_completions(4)
        assert [page.width for page in pipeline.layout.seen] == [400, 400, 400, 400, 200]
        go_on.set()
        await letter.finish()
        await book.finish()
    assert pipeline.vlm.most_running == 4


async def test_a_page_is_cut_and_encoded_before_it_has_a_place_at_the_vlm(pool, tmp_path):
    """A place at the VLM is held while the VLM works, not while we do; and pixels are not held in its line."""
    go_on = asyncio.Event()

    settings = Settings(spool_dir=tmp_path, vlm_max_concurrency=1, max_pages_in_preparation=1)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.vlm.reply = say_grey_after(go_on)
        parsing = pipeline.parse(pdf_bytes(2))
        await pipeline.vlm.wait_for_completions(1)
        # The first page is still with the VLM, and yet the only place for pixels is free for the second.
        await pipeline.until(lambda: len(pipeline.layout.seen) == 2)
        go_on.set()
        await parsing.finish()


async def test_a_letter_does_not_wait_for_the_pages_of_a_book(pool, tmp_path):
    go_on = asyncio.Event()

    async def hold(page: PageSeen) -> None:
        await go_on.wait()

    settings = Settings(spool_dir=tmp_path, max_pages_in_preparation=1)
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before = hold
        book = pipeline.parse(pdf_bytes(6))
        await pipeline.until(lambda: pipeline.layout.running == 1)
        letter = pipeline.parse(pdf_bytes(1, LETTER))
        await pipeline.until(lambda: bool(letter.events))
        go_on.set()
        await letter.finish()
        await book.finish()
    assert 200 in [page.width for page in pipeline.layout.seen[:3]]
    assert len(pipeline.layout.seen) == 7


async def test_the_reading_of_two_documents_takes_turns(pool, tmp_path):
    settings = Settings(spool_dir=tmp_path, vlm_max_concurrency=1)
    async with running_pipeline(pool, settings) as pipeline:
        go_on = asyncio.Event()

        async def hold(completion):
            await go_on.wait()
            return await say_grey(completion)

        pipeline.vlm.reply = hold
        pipeline.layout.boxes = [box("table", 20, 5 + 20 * row, 180, 15 + 20 * row) for row in range(9)]
        book = pipeline.parse(pdf_bytes(1, (300, 100)), merge_layout_blocks=False)
        await pipeline.vlm.wait_for_completions(1)
        pipeline.layout.boxes = [box("text", 20, 20, 180, 180)]
        letter = pipeline.parse(pdf_bytes(1, LETTER))
        await pipeline.until_waiting(9)
        go_on.set()
        await letter.finish()
        assert not book.task.done()
        await book.finish()
    prompts = [completion.prompt for completion in pipeline.vlm.completions]
    assert prompts.index("OCR:") <= 3
    assert pipeline.vlm.most_running == 1


async def test_restructured_pages_are_all_sent_after_the_last_is_parsed_with_tables_joined(pool, settings):
    go_on = asyncio.Event()

    async def hold_the_first(page: PageSeen) -> None:
        if page.grey == 0:
            await go_on.wait()

    async def say_table(completion):
        return f"<fcel>item<fcel>price<nl><fcel>pond {grey_in(completion)}<fcel>9<nl>"

    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.before, pipeline.vlm.reply = hold_the_first, say_table
        pipeline.layout.boxes = [box("table", 20, 20, 380, 180)]
        parsing = pipeline.parse(pdf_bytes(3), restructure_pages=True)
        await pipeline.vlm.wait_for_completions(2)
        assert [event["type"] for event in parsing.events] == ["document"]
        go_on.set()
        await parsing.finish()
    assert [event.get("index") for event in parsing.events] == [None, 0, 1, 2]
    (joined,), *continued = parsing.texts
    assert [joined.count(word) for word in ("item", "pond")] == [1, 3]
    assert continued == [[""], [""]]


async def test_figures_in_the_same_place_of_several_pages_have_names_of_their_own(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.boxes = [box("image", 20, 20, 180, 180)]
        parsing = await pipeline.parse(pdf_bytes(4)).finish()
    names = [name for page in parsing.elements.values() for name in page["markdown"]["images"]]
    assert len(set(names)) == 4
    for page in parsing.elements.values():
        assert all(name in page["markdown"]["text"] for name in page["markdown"]["images"])


async def test_without_layout_detection_a_page_is_one_region_with_the_prompt_asked_for(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        parsing = pipeline.parse(pdf_bytes(2), use_layout_detection=False, prompt_label="formula")
        await parsing.finish()
    assert pipeline.layout.seen == []
    assert [completion.prompt for completion in pipeline.vlm.completions] == ["Formula Recognition:"] * 2
    assert [len(texts) for texts in parsing.texts] == [1, 1]


async def test_a_page_without_regions_asks_the_vlm_nothing(pool, settings):
    async with running_pipeline(pool, settings) as pipeline:
        pipeline.layout.boxes = []
        parsing = await pipeline.parse(pdf_bytes(1)).finish()
    assert pipeline.vlm.completions == []
    assert parsing.texts == [[]]
    assert "warnings" not in parsing.elements[0]


async def test_pages_are_restructured_though_all_threads_of_asyncio_are_busy(pool, settings):
    """And so the other way round: a document that comes in finds one of those threads to be written to disk by."""
    let_go = threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    async with running_pipeline(pool, settings) as pipeline:
        gate = asyncio.Event()

        async def wait(page: PageSeen) -> None:
            await gate.wait()

        pipeline.layout.before = wait
        parsing = pipeline.parse(pdf_bytes(2), restructure_pages=True)
        await pipeline.until(lambda: pipeline.layout.running == 2)
        busy = loop.run_in_executor(None, let_go.wait)
        gate.set()
        try:
            async with asyncio.timeout(20):
                await parsing.finish()
        finally:
            let_go.set()
            await busy
    assert len(parsing.elements) == 2
