"""What a page costs when something about it is wrong: that thing, and nothing beside it."""

import json
import math

import numpy as np
import pytest

from docparse.assembly import ImageKeys, assemble_page, render_page, restructure
from docparse.assembly import texts as texts_module
from docparse.layout.detector import LayoutBox
from docparse.options import ParseOptions
from docparse.recognition import Recognition
from docparse.regions import build_regions
from tests.docparse.pages import box, noise

DEFAULTS = ParseOptions.from_wire({})


def parse(boxes, texts, wire=None, warnings=()):
    """The element of a page whose regions were read as `texts` says, by index."""
    options = ParseOptions.from_wire(wire or {})
    regions = build_regions(noise(), boxes, options, position=0)
    recognitions = {
        index: text if isinstance(text, Recognition) else Recognition(text, "stop")
        for index, text in texts.items()
    }
    page = assemble_page(regions, recognitions, options, warnings=warnings)
    return json.loads(render_page(page, options, ImageKeys()))


def contents(element):
    return [block["block_content"] for block in element["prunedResult"]["parsing_res_list"]]


def test_a_failed_region_is_an_empty_block_and_a_warning():
    boxes = [box("text", 10, 10, 300, 100), box("text", 10, 500, 300, 600)]
    element = parse(boxes, {0: Recognition("", "error", 2, "The VLM server failed 3 times."), 1: "fine"})
    assert contents(element) == ["", "fine"]
    assert element["warnings"] == [
        {
            "code": "region_failed",
            "message": "Region 0 (text): The VLM server failed 3 times.",
            "blockId": 0,
            "blockBbox": [10, 10, 300, 100],
        }
    ]
    assert element["markdown"]["text"].strip() == "fine"


def test_a_warning_names_its_block_though_a_table_swallowed_a_figure_before():
    boxes = [
        box("table", 100, 100, 700, 300),
        box("image", 120, 120, 200, 200),
        box("text", 10, 500, 300, 600),
    ]
    element = parse(boxes, {0: "<fcel>a<nl>"})
    (warning,) = element["warnings"]
    block = element["prunedResult"]["parsing_res_list"][warning["blockId"]]
    assert block["block_bbox"] == warning["blockBbox"] == [10, 500, 300, 600]


def test_a_region_that_nobody_recognised_is_a_warning_too():
    element = parse([box("text", 10, 10, 300, 100)], {})
    assert contents(element) == [""]
    assert [warning["code"] for warning in element["warnings"]] == ["region_failed"]


def test_a_text_cut_at_the_token_limit_is_kept_and_said():
    element = parse([box("text", 10, 10, 300, 100)], {0: Recognition("half a", "length")})
    assert contents(element) == ["half a"]
    assert [warning["code"] for warning in element["warnings"]] == ["region_truncated"]


def test_a_sound_page_has_no_warnings_field():
    assert "warnings" not in parse([box("text", 10, 10, 300, 100)], {0: "fine"})


def test_warnings_of_the_page_come_first():
    element = parse([box("text", 10, 10, 300, 100)], {}, warnings=[{"code": "page_failed", "message": "m"}])
    assert [warning["code"] for warning in element["warnings"]] == ["page_failed", "region_failed"]


def test_an_empty_page_is_a_whole_element():
    element = parse([], {})
    assert contents(element) == []
    assert element["markdown"] == {"text": "", "images": {}}
    assert element["prunedResult"]["layout_det_res"] == {"boxes": []}
    assert set(element["outputImages"]) == {"layout_det_res"}


@pytest.mark.parametrize(
    "coordinate",
    [
        (-50, -50, -10, -10),
        (900, 10, 950, 40),
        (10, 1000, 100, 1100),
        (300, 300, 100, 400),
        (math.nan, 10, 100, 100),
        (10, 10, math.inf, 100),
    ],
    ids=["left", "right", "below", "inverted", "nan", "infinite"],
)
def test_a_box_that_is_nowhere_on_the_page_is_left_out(coordinate):
    element = parse([box("text", 10, 10, 300, 100), box("image", *coordinate)], {0: "fine"})
    assert contents(element) == ["fine"]
    assert len(element["prunedResult"]["layout_det_res"]["boxes"]) == 1


def test_a_box_with_a_score_that_is_no_number_is_left_out():
    element = parse([box("text", 10, 10, 300, 100, score=math.nan)], {})
    assert contents(element) == []


@pytest.mark.parametrize("label", ["text", "image", "table"])
def test_a_box_without_area_is_no_region(label):
    element = parse([box(label, 10, 10, 10, 100), box(label, 50, 50, 200, 50)], {})
    assert contents(element) == []
    assert element["markdown"]["images"] == {}


def test_a_box_over_the_edge_is_cut_at_the_edge():
    element = parse([box("image", -20, -20, 5000, 100)], {})
    assert element["prunedResult"]["layout_det_res"]["boxes"][0]["coordinate"] == [0, 0, 800, 100]
    assert list(element["markdown"]["images"]) == ["imgs/img_in_image_box_0_0_800_100.jpg"]


@pytest.mark.parametrize(
    "points", [[], [[1, 1], [2, 2]], [[5, 5], [5, 5], [5, 5]], [[1, math.nan], [2, 2], [3, 1]]]
)
def test_a_polygon_without_area_gives_way_to_its_box(points):
    boxes = [
        LayoutBox(
            22, "text", 0.9, (10.0, 10.0, 300.0, 100.0), 1, [[10, 10], [300, 10], [300, 100], [10, 100]]
        ),
        LayoutBox(22, "text", 0.8, (10.0, 10.0, 300.0, 99.0), 1, points),
    ]
    element = parse(boxes, {0: "fine"})
    corners = [[10, 10], [300, 10], [300, 99], [10, 99]]
    assert element["prunedResult"]["layout_det_res"]["boxes"][1]["polygon_points"] == corners
    assert contents(element) == ["fine"]


def test_a_tiny_page_is_parsed():
    options = ParseOptions.from_wire({"use_layout_detection": False})
    regions = build_regions(np.zeros((1, 1, 3), np.uint8), None, options)
    element = json.loads(render_page(assemble_page(regions, {}, options), options, ImageKeys()))
    assert element["prunedResult"]["width"] == 1


@pytest.mark.parametrize(
    "text",
    ["<lcel><nl><ucel><fcel>", "<fcel>", "<nl><nl>", "<xcel><xcel><nl>", "no table", "", "<ucel>a<lcel>"],
)
def test_any_text_of_a_table_gives_a_block(text):
    assert len(contents(parse([box("table", 10, 10, 300, 300)], {0: text}))) == 1


def test_a_table_of_absurd_size_stays_as_read():
    long_row = "".join(f"<fcel>{n}" for n in range(400))
    otsl = long_row + "<nl>" + "".join(f"<fcel>{n}<nl>" for n in range(400))
    assert texts_module.count_cells(otsl) > texts_module.MAX_TABLE_CELLS
    element = parse([box("table", 10, 10, 300, 300)], {0: otsl})
    assert contents(element) == [otsl]
    assert [warning["code"] for warning in element["warnings"]] == ["table_not_converted"]


def test_a_page_that_cannot_be_written_as_docx_goes_out_without():
    element = parse([box("text", 10, 10, 300, 100)], {0: "a \x00 character"}, {"output_formats": ["docx"]})
    assert contents(element) == ["a \x00 character"]
    assert "exports" not in element
    assert [warning["code"] for warning in element["warnings"]] == ["export_failed"]


@pytest.mark.parametrize("span", ["many", "9999999", "-1", ""])
def test_a_table_with_an_absurd_span_is_not_merged(span):
    options = ParseOptions.from_wire({"restructure_pages": True})
    html = f"<table><tr><td colspan='{span}'>a</td></tr></table>"
    pages = []
    for position in range(2):
        regions = build_regions(noise(), [box("table", 10, 10, 300, 300)], options, position=position)
        pages.append(assemble_page(regions, {0: Recognition(html, "stop")}, options))
    first, second = (
        json.loads(render_page(page, options, ImageKeys())) for page in restructure(pages, options)
    )
    assert contents(first) == contents(second) == [html]
    assert [warning["code"] for warning in first["warnings"]] == ["tables_not_merged"]


def test_no_pages_are_restructured_into_no_pages():
    assert restructure([], DEFAULTS) == []
