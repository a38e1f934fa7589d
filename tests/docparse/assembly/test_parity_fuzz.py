"""Pages, options and texts that nobody thought of, through PaddleX's own pipeline and through ours."""

import json
import random

import numpy as np
import pytest

from docparse.labels import PROMPT_LABELS
from docparse.layout.labels import LABELS
from tests.docparse.paddlex_oracle import Page, ask_docparse, ask_paddlex, digest_of, drop_additions
from tests.docparse.pages import box

PIECES = (
    "word", " ", "\n", "\n\n", "-\n", "1.2 ", "# ", "\\(", "\\)", "\\[", "\\]", "$", "$$", "|", "<fcel>", "<ecel>",
    "<lcel>", "<ucel>", "<xcel>", "<nl>", "[F2]", "[F3]", "[F4]", "&", "<", "<br>", "<|LOC_7|>", "<|TEXT_START|>",
    "<|TEXT_END|>", "<|LOC_BEGIN|>", "<|LOC_END|>", "\u4e2d", "again " * 20, "row|1\n",
    "\\frac{a}{b}", "<table>", "(1)", "\u3000",
)  # fmt: skip
FLAGS = (
    "use_chart_recognition", "use_seal_recognition", "use_ocr_for_image_block", "format_block_content",
    "merge_layout_blocks", "prettify_markdown", "show_formula_number", "return_markdown_images", "restructure_pages",
    "merge_tables", "relevel_titles",
)  # fmt: skip
SHAPE_MODES = ("rect", "quad", "poly", "auto")


def some_parse(choose):
    parse = {name: choose.random() < 0.5 for name in FLAGS if choose.random() < 0.5}
    parse["visualize"] = False
    parse["layout_shape_mode"] = choose.choice(SHAPE_MODES)
    if choose.random() < 0.3:
        parse["markdown_ignore_labels"] = choose.sample(LABELS, 5)
    if choose.random() < 0.1:
        parse |= {"use_layout_detection": False, "prompt_label": choose.choice(PROMPT_LABELS)}
    return parse


def some_boxes(choose, polygon):
    """Overlapping, nested, tiny, at the edges; whole pixels, as PaddleX's predictor makes of what networks give."""
    boxes = []
    for _ in range(choose.randint(0, 14)):
        x1, x2 = sorted(
            choose.choice((0, 400, choose.randint(0, 400), choose.randint(1, 20) * 20)) for _ in range(2)
        )
        y1, y2 = sorted(
            choose.choice((0, 500, choose.randint(0, 500), choose.randint(1, 25) * 20)) for _ in range(2)
        )
        label = choose.choice((*LABELS, "table", "text", "text", "image", "paragraph_title"))
        if x2 - x1 >= 2 and y2 - y1 >= 8:
            boxes.append(box(label, x1, y1, x2, y2, score=round(choose.random(), 3), polygon=polygon))
    return boxes


def some_pages(choose, seed):
    polygon = choose.random() < 0.4
    pages, figures = [], set()
    for number in range(choose.choice((1, 1, 2, 3))):
        image = np.random.default_rng((seed, number)).integers(0, 255, (500, 400, 3), np.uint8)
        boxes = some_boxes(choose, polygon)
        if choose.random() < 0.4:
            boxes += [
                box("table", 20, 20, 380, 480, polygon=polygon),
                box("image", 40, 40 + number, 120, 100, polygon=polygon),
            ]
        # The same figure on two pages is different on purpose, and tested by hand.
        boxes = [each for each in boxes if each.coordinate not in figures]
        figures.update(each.coordinate for each in boxes)
        pages.append(Page(image, boxes))
    return pages


def reader_of(seed):
    def read(prompt, image):
        choose = random.Random(digest_of(image) ^ seed)
        pieces = [choose.choice(PIECES) for _ in range(choose.randint(0, 25))]
        # PaddleX puts figures into a page's tables again for each later page; where the text of a figure is itself
        # a figure's token, it grows each time.
        return "".join(
            piece for piece in pieces if prompt == "Table Recognition:" or not piece.startswith("[F")
        )

    return read


@pytest.mark.fuzz
@pytest.mark.parametrize("block", range(20))
def test_what_nobody_thought_of_is_answered_as_paddlex_does(block):
    for seed in range(block * 100, block * 100 + 100):
        assert_same(seed)


def assert_same(seed):
    choose = random.Random(seed)
    parse, pages, reader = some_parse(choose), some_pages(choose, seed), reader_of(seed)
    if parse.get("use_layout_detection") is False:
        pages = pages[:1]
    ours = ask_docparse(pages, parse, reader)
    try:
        theirs = ask_paddlex(pages, parse, reader)
    except IndexError:  # a table that is not well-formed fails their document, and costs us a warning
        assert "table_not_converted" in str([element.get("warnings") for element in ours.elements]), seed
        return
    assert ours.asked == theirs.asked, seed
    for our_element, their_element in zip(ours.elements, theirs.elements, strict=True):
        drop_additions(our_element)
        assert our_element.pop("warnings", []) == [], seed
        assert our_element == their_element, seed
        assert json.dumps(our_element, sort_keys=True) == json.dumps(their_element, sort_keys=True), seed
