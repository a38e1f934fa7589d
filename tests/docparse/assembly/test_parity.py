"""The same boxes and the same texts through PaddleX's own pipeline and through ours give the same answer."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.docparse.paddlex_oracle import ask_docparse, ask_paddlex, drop_additions
from tests.docparse.pages import box, full_page, page

OPTIONS = {
    "default": {},
    "plain_markdown": {"prettify_markdown": False},
    "formula_numbers": {"show_formula_number": True},
    "formatted_content": {"format_block_content": True},
    "unmerged": {"merge_layout_blocks": False},
    "charts_read": {"use_chart_recognition": True},
    "seals_read": {"use_seal_recognition": True},
    "images_read": {"use_ocr_for_image_block": True},
    "everything_read": {
        "use_chart_recognition": True,
        "use_seal_recognition": True,
        "use_ocr_for_image_block": True,
        "format_block_content": True,
    },
    "everything_read_plain": {
        "use_chart_recognition": True,
        "use_seal_recognition": True,
        "use_ocr_for_image_block": True,
        "prettify_markdown": False,
    },
    "nothing_ignored": {"markdown_ignore_labels": []},
    "other_labels_ignored": {"markdown_ignore_labels": ["text", "image", "table"]},
    "rectangles": {"layout_shape_mode": "rect"},
    "polygons": {"layout_shape_mode": "poly"},
    "no_images": {"return_markdown_images": False},
    "not_visualized": {"visualize": False},
    "pixels": {"min_pixels": 50_000, "max_pixels": 60_000},
    "pixels_per_task": {
        "max_pixels": 600_000,
        "vlm_extra_args": {"table_max_pixels": 700_000, "ocr_min_pixels": 100},
    },
}


@pytest.mark.parametrize("polygon", [False, True], ids=["boxes", "polygons"])
@pytest.mark.parametrize("parse", OPTIONS.values(), ids=OPTIONS.keys())
def test_a_page_with_every_label_is_answered_as_paddlex_does(parse, polygon):
    assert_equal([full_page(polygon=polygon)], parse)


@pytest.mark.parametrize("label", ["ocr", "formula", "table", "chart", "seal", "spotting"])
@pytest.mark.parametrize("size", [(300, 400), (1700, 1200)])
def test_a_page_without_layout_detection_is_answered_as_paddlex_does(label, size):
    assert_equal(
        [page(height=size[0], width=size[1])], {"use_layout_detection": False, "prompt_label": label}
    )


def test_an_empty_page_is_answered_as_paddlex_does():
    assert_equal([page()], {})


def test_a_large_page_and_its_pictures_are_shrunk_as_paddlex_does():
    boxes = [
        box("image", 10, 10, 2900, 500),
        box("chart", 10, 600, 300, 2950),
        box("text", 400, 600, 900, 700),
    ]
    assert_equal([page(*boxes, height=3000, width=2920)], {})


def test_pages_with_different_figures_are_answered_as_paddlex_does():
    pages = [
        page(box("image", 10, 10, 200, 200), box("text", 10, 300, 400, 400)),
        page(box("image", 10, 10, 200, 201), box("text", 10, 300, 400, 400), seed=1),
    ]
    assert_equal(pages, {})


@pytest.mark.parametrize("merge_tables", [True, False])
@pytest.mark.parametrize("relevel_titles", [True, False])
def test_restructured_pages_are_answered_as_paddlex_does(merge_tables, relevel_titles):
    pages = [
        page(
            box("doc_title", 100, 20, 700, 80),
            box("paragraph_title", 100, 90, 500, 130),
            box("paragraph_title", 100, 200, 500, 222),
            box("table", 100, 500, 700, 900),
            box("footer", 100, 950, 700, 980),
        ),
        page(
            box("header", 100, 10, 700, 30),
            box("table", 102, 40, 702, 300),
            box("paragraph_title", 100, 310, 500, 350),
            box("paragraph_title", 100, 400, 500, 418),
            box("image", 100, 450, 700, 800),
            seed=1,
        ),
        page(box("paragraph_title", 100, 10, 500, 35), seed=2),
    ]
    parse = {"restructure_pages": True, "merge_tables": merge_tables, "relevel_titles": relevel_titles}
    ours = assert_equal(pages, parse)
    joined = ours.elements[1]["prunedResult"]["parsing_res_list"][1]
    assert (joined["block_content"] == "") is merge_tables


def test_a_figure_repeated_on_another_page_differs_in_its_name_only():
    """Different on purpose: PaddleX uses one name for both; ours has the page in it, in text and images."""
    figure = box("image", 10, 10, 200, 200)
    pages = [page(figure), page(figure, seed=1)]
    theirs, ours = ask_paddlex(pages, {}), ask_docparse(pages, {})
    plain, renamed = (
        "imgs/img_in_image_box_10_10_200_200.jpg",
        "imgs/img_in_image_page_2_box_10_10_200_200.jpg",
    )
    assert [list(element["markdown"]["images"]) for element in theirs.elements] == [[plain], [plain]]
    assert [list(element["markdown"]["images"]) for element in ours.elements] == [[plain], [renamed]]
    second = ours.elements[1]["markdown"]
    assert second["text"] == theirs.elements[1]["markdown"]["text"].replace(plain, renamed)
    assert second["images"][renamed] == theirs.elements[1]["markdown"]["images"][plain]
    assert ours.elements[0]["markdown"] == theirs.elements[0]["markdown"]


def test_a_figure_where_another_page_has_one_in_a_table_is_not_lost():
    """Different on purpose: PaddleX takes the second page's figure for the one in the first's table."""
    figure = box("image", 120, 120, 200, 200)
    pages = [page(box("table", 100, 100, 700, 300), figure), page(figure, seed=1)]
    theirs, ours = ask_paddlex(pages, {}), ask_docparse(pages, {})
    assert theirs.elements[1]["prunedResult"]["parsing_res_list"] == []
    assert [block["block_label"] for block in ours.elements[1]["prunedResult"]["parsing_res_list"]] == [
        "image"
    ]
    assert "img_in_image_page_2_box" in ours.elements[1]["markdown"]["text"]
    drop_additions(ours.elements[0])
    assert ours.elements[0]["prunedResult"] == theirs.elements[0]["prunedResult"]


def test_pages_in_work_at_once_are_as_each_alone():
    pages = [full_page(seed=seed) for seed in range(8)]
    alone = [ask_docparse([each], {}).elements for each in pages]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: ask_docparse([each], {}).elements, pages))
    assert together == alone


def assert_equal(pages, parse):
    theirs, ours = ask_paddlex(pages, parse), ask_docparse(pages, parse)
    assert ours.asked == theirs.asked
    for our_element, their_element in zip(ours.elements, theirs.elements, strict=True):
        drop_additions(our_element)  # different on purpose: a block that was read says how
        drawn = our_element.pop("outputImages", None)  # different on purpose: no font is fetched
        assert (drawn is not None) is parse.get("visualize", True)
        assert our_element == their_element
        assert json.dumps(our_element, sort_keys=True) == json.dumps(their_element, sort_keys=True)
    return ours
