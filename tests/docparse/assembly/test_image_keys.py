import asyncio
import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from docparse.assembly import ImageKeys, PageOrder, assemble_page, render_page, restructure
from docparse.assembly.image_keys import name_with_page
from docparse.options import ParseOptions
from docparse.recognition import Recognition
from docparse.regions import build_regions
from tests.docparse.pages import box, noise

KEY = "imgs/img_in_image_box_1_2_3_4.jpg"


def test_a_renamed_key_keeps_its_start_and_its_box_at_the_end():
    assert name_with_page("imgs/img_in_header_image_box_1_2_3_4.jpg", 1) == (
        "imgs/img_in_header_image_page_2_box_1_2_3_4.jpg"
    )


def test_the_first_page_keeps_the_plain_name_and_each_later_one_gets_its_number():
    keys = ImageKeys()
    assert keys.claim(0, [KEY]) == {}
    assert keys.claim(3, [KEY]) == {KEY: name_with_page(KEY, 3)}
    assert keys.claim(1, [KEY, "imgs/other"]) == {KEY: name_with_page(KEY, 1)}


def test_an_announced_earlier_page_keeps_the_plain_name_though_it_is_rendered_later():
    keys = ImageKeys()
    keys.announce(1, [KEY])
    keys.announce(0, [KEY])
    assert keys.claim(1, [KEY]) == {KEY: name_with_page(KEY, 1)}
    assert keys.claim(0, [KEY]) == {}


def test_an_earlier_page_that_comes_after_a_name_was_given_is_renamed():
    keys = ImageKeys()
    assert keys.claim(1, [KEY]) == {}
    keys.announce(0, [KEY])
    assert keys.claim(0, [KEY]) == {KEY: name_with_page(KEY, 0)}


def test_a_claim_without_position_is_numbered_as_it_comes():
    keys = ImageKeys()
    assert keys.claim(None, [KEY]) == {}
    assert keys.claim(None, []) == {}
    assert keys.claim(None, [KEY]) == {KEY: name_with_page(KEY, 2)}


def test_names_are_unique_over_pages_rendered_at_once():
    keys, names, lock = ImageKeys(), [], threading.Lock()

    def render(position):
        name = keys.claim(position, [KEY]).get(KEY, KEY)
        with lock:
            names.append(name)

    threads = [threading.Thread(target=render, args=(position,)) for position in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 20
    assert names.count(KEY) == 1


KEYS = [f"imgs/img_in_image_box_{x}_0_9_9.jpg" for x in range(4)]


@given(
    st.lists(st.lists(st.sampled_from(KEYS), unique=True), max_size=8),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_pages_that_finish_in_any_order_get_the_names_of_pages_that_come_one_by_one(pages, random, window):
    async def names(pause) -> list[list[str]]:
        keys, order, room = ImageKeys(), PageOrder(), asyncio.Semaphore(window)
        named: list[list[str]] = [[] for _ in pages]

        async def one(position):
            await pause()  # layout
            if pages[position]:
                keys.announce(position, pages[position])
            order.tell(position)
            await pause()  # its texts
            await order.wait_for_pages_before(position)
            renamed = keys.claim(position, pages[position])
            named[position] = [renamed.get(key, key) for key in pages[position]]
            room.release()

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for position in range(len(pages)):
                await room.acquire()
                group.create_task(one(position))
        return named

    async def at_random() -> None:
        for _ in range(random.randrange(12)):
            await asyncio.sleep(0)

    async def not_at_all() -> None:
        pass

    named = asyncio.run(names(at_random))
    window = 1
    assert named == asyncio.run(names(not_at_all))
    everything = [name for page in named for name in page]
    assert len(set(everything)) == len(everything)
    assert {key for page in pages for key in page} <= set(everything)


async def test_a_page_waits_for_those_before_it_and_for_no_others():
    order = PageOrder()
    waiting = asyncio.create_task(order.wait_for_pages_before(3))
    for position in (4, 2, 0, 2, 0):
        order.tell(position)
        await asyncio.sleep(0)
    assert not waiting.done()
    order.tell(1)
    async with asyncio.timeout(5):
        await waiting
        await order.wait_for_pages_before(0)


def _pages_with_a_figure_in_a_table(options):
    boxes = [
        box("table", 100, 100, 700, 300),
        box("image", 120, 120, 200, 200),
        box("image", 10, 500, 90, 600),
    ]
    text = "<fcel>" + " ".join(f"[F{token}]" for token in (2, 3, 4, 5)) + "<nl>"
    for position in range(2):
        regions = build_regions(noise(seed=position), boxes, options, position=position)
        yield assemble_page(regions, {0: Recognition(text, "stop")}, options)


def test_a_renamed_figure_is_renamed_in_the_table_that_shows_it():
    options, keys = ParseOptions.from_wire({"format_block_content": True}), ImageKeys()
    pages = list(_pages_with_a_figure_in_a_table(options))
    first, second = (json.loads(render_page(page, options, keys)) for page in pages)
    assert not set(first["markdown"]["images"]) & set(second["markdown"]["images"])
    for element in (first, second):
        blocks = str(element["prunedResult"]["parsing_res_list"])
        for key in element["markdown"]["images"]:
            assert f'src="{key}"' in element["markdown"]["text"]
            assert f'src="{key}"' in blocks


def test_a_figure_in_a_table_that_moves_to_the_page_before_keeps_its_own_name():
    options = ParseOptions.from_wire({"restructure_pages": True})
    boxes = [box("table", 100, 100, 700, 300), box("image", 120, 120, 200, 200)]
    pages = []
    for position in range(2):
        regions = build_regions(noise(seed=position), boxes, options, position=position)
        text = f"<fcel>{position}<fcel>" + " ".join(f"[F{token}]" for token in (2, 3, 4, 5)) + "<nl>"
        pages.append(assemble_page(regions, {0: Recognition(text, "stop")}, options))
    keys = ImageKeys()
    first, second = (json.loads(render_page(page, options, keys)) for page in restructure(pages, options))
    plain = "imgs/img_in_image_box_120_120_200_200.jpg"
    assert list(first["markdown"]["images"]) == [plain]
    assert list(second["markdown"]["images"]) == [name_with_page(plain, 1)]
    joined = first["prunedResult"]["parsing_res_list"][0]["block_content"]
    assert f'src="{plain}"' in joined
    assert f'src="{name_with_page(plain, 1)}"' in joined
