import base64
import io
import json
import random
import re
import socket

import cv2
import docx
import numpy as np
import pytest

from docparse.assembly import ImageKeys, assemble_page, render_page
from docparse.assembly.pictures import MAX_SIDE_PIXELS, draw_layout, draw_spotting, shrink
from docparse.options import ParseOptions
from docparse.recognition import Recognition
from docparse.regions import MAX_ASPECT_RATIO, MIN_SIDE_PIXELS, build_regions, pad_to_limits
from tests.docparse.paddlex_oracle import ask_docparse
from tests.docparse.pages import box, full_page, noise, page


def decode(encoded):
    return cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR)


def test_a_field_without_a_value_is_left_out_and_a_null_in_the_pruned_result_is_kept():
    element = ask_docparse([full_page()], {"visualize": False, "return_markdown_images": False}).elements[0]
    assert set(element) == {"prunedResult", "markdown"}
    assert set(element["markdown"]) == {"text"}
    assert element["prunedResult"]["page_count"] is None
    assert element["prunedResult"]["parsing_res_list"][0]["block_order"] is None


def test_the_page_is_drawn_with_its_boxes_in_its_own_size():
    element = ask_docparse([full_page()], {}).elements[0]
    drawn, given = decode(element["outputImages"]["layout_det_res"]), decode(element["inputImage"])
    assert drawn.shape == given.shape == (1000, 800, 3)
    assert not np.array_equal(drawn, given)


def test_without_layout_detection_there_are_no_output_images_but_for_spotting():
    pages = [full_page()]
    assert ask_docparse(pages, {"use_layout_detection": False}).elements[0]["outputImages"] == {}
    spotting = ask_docparse(pages, {"use_layout_detection": False, "prompt_label": "spotting"}).elements[0]
    assert set(spotting["outputImages"]) == {"spotting_res_img"}
    assert decode(spotting["outputImages"]["spotting_res_img"]).shape == (1000, 1600, 3)


@pytest.mark.parametrize(("figures", "sides"), [(1, (2400, 300)), (6, (2000, 250))])
def test_figures_that_lie_over_each_other_without_end_are_smaller_in_the_word_document(figures, sides):
    boxes = [box("image", 10, 10 + number, 2410, 310 + number) for number in range(figures)]
    (element,) = ask_docparse([page(*boxes, width=2420, height=320)], {"output_formats": ["docx"]}).elements
    document = docx.Document(io.BytesIO(base64.b64decode(element["exports"]["docx"]["content"])))
    pictures = [part.image for part in document.part.package.image_parts]
    assert {(picture.px_width, picture.px_height) for picture in pictures} == {sides}


def test_drawing_fetches_nothing(monkeypatch):
    """No font, no model: a service without a way out answers as any other."""

    def no_network(*_, **__):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    found = {"visualize": True, "output_formats": ["docx"]}
    for parse in (found, {**found, "use_layout_detection": False, "prompt_label": "spotting"}):
        (element,) = ask_docparse([full_page()], parse).elements
        assert element["outputImages"]
        assert element["exports"]


def test_drawing_does_not_touch_the_page():
    page = noise()
    before = page.copy()
    draw_layout(page, [{"cls_id": 3, "label": "chart", "score": 0.5, "coordinate": [-5, 0, 900, 20]}])
    draw_spotting(page, [[(0, 0), (90, 0), (90, 30), (0, 30)]], ["caf\u00e9 \u4e2d"])
    assert np.array_equal(page, before)


@pytest.mark.parametrize("sides", [(4000, 3000), (10, 60_000), (60_000, 10), (2001, 2001)])
def test_no_picture_of_the_answer_is_larger_than_the_limit(sides):
    assert max(shrink(np.zeros((*sides, 3), np.uint8)).shape[:2]) <= MAX_SIDE_PIXELS


@pytest.mark.parametrize("sides", [(1, 1), (6, 300), (27, 28), (28, 4000), (5000, 30), (3, 2000)])
def test_crops_that_engines_refuse_are_padded_about_their_pixels(sides):
    crop = noise(*sides)
    padded = pad_to_limits(crop)
    height, width = padded.shape[:2]
    assert min(height, width) >= MIN_SIDE_PIXELS
    assert max(height, width) / min(height, width) <= MAX_ASPECT_RATIO
    top, left = (height - sides[0]) // 2, (width - sides[1]) // 2
    assert np.array_equal(padded[top : top + sides[0], left : left + sides[1]], crop)


def test_an_ordinary_crop_is_passed_as_it_is():
    crop = noise(28, 2800)
    assert pad_to_limits(crop) is crop


def test_padding_has_the_colour_of_the_paper():
    assert set(np.unique(pad_to_limits(np.full((3, 50, 3), 240, np.uint8)))) == {240}


def test_the_docx_holds_the_texts_and_the_pictures_of_the_page():
    options = ParseOptions.from_wire({"output_formats": ["docx"], "return_markdown_images": False})
    boxes = [
        box("text", 10, 10, 300, 100),
        box("image", 10, 200, 300, 400),
        box("display_formula", 10, 500, 300, 560),
    ]
    regions = build_regions(noise(), boxes, options)
    texts = {0: Recognition("hello text", "stop"), 2: Recognition("\\[ x^2 \\]", "stop")}
    element = json.loads(render_page(assemble_page(regions, texts, options), options, ImageKeys()))
    assert set(element["exports"]["docx"]) == {"content", "fileName"}
    assert re.fullmatch(r"\d+_\d+\.docx", element["exports"]["docx"]["fileName"])
    document = docx.Document(io.BytesIO(base64.b64decode(element["exports"]["docx"]["content"])))
    assert "hello text" in [paragraph.text for paragraph in document.paragraphs]
    assert len(document.inline_shapes) == 1
    assert "images" not in element["markdown"]


def test_a_parsed_page_holds_no_pixels():
    options = ParseOptions.from_wire({})
    page = assemble_page(build_regions(noise(), full_page().boxes, options), {}, options)

    def arrays(value, seen):
        if id(value) in seen:
            return []
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            return [value]
        parts = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
        found = [array for part in parts for array in arrays(part, seen)]
        for part in vars(value).values() if hasattr(value, "__dict__") else ():
            found += arrays(part, seen)
        return found

    assert arrays([page.form, page.pictures, page.output_images, page.warnings], set()) == []


def test_the_page_is_kept_for_drawing_only():
    image = noise()
    assert build_regions(image, [], ParseOptions.from_wire({"visualize": False})).image is None
    assert build_regions(image, [], ParseOptions.from_wire({})).image is image


def test_requests_own_their_pixels():
    image = noise()
    regions = build_regions(image, full_page().boxes, ParseOptions.from_wire({}))
    assert not any(np.shares_memory(request.image, image) for request in regions.requests)


def test_a_figure_in_a_table_leaves_the_random_numbers_of_the_process_alone():
    random.seed(7)
    expected = random.random()
    random.seed(7)
    boxes = [box("table", 100, 100, 700, 300), box("image", 120, 120, 200, 200)]
    build_regions(noise(), boxes, ParseOptions.from_wire({}))
    assert random.random() == expected
