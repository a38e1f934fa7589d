"""Each page is read as was asked for it, whatever was asked for the others of its batch; PaddleX says how."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from docparse.layout.detector import LayoutBox, LayoutOptions
from tests.docparse.layout.painted import (
    LEANING,
    LEFT,
    NESTED,
    PAGE,
    TWICE,
    V2,
    V3,
    found,
)
from tests.networks.palette import Painted, paint

# Options of a request, and what PaddleX is given for them: classes by number, a whole number as a fraction.
OPTIONS: dict[str, tuple[LayoutOptions, dict[str, Any]]] = {
    "nothing": (LayoutOptions(), {}),
    "low threshold": (LayoutOptions(threshold=0.1), {"threshold": 0.1}),
    "whole threshold": (LayoutOptions(threshold=1), {"threshold": 1.0}),
    "no threshold": (LayoutOptions(threshold=0), {"threshold": 0.0}),
    "threshold of a class": (
        LayoutOptions(threshold={"table": 0.9}),
        {"threshold": dict.fromkeys(range(25), 0.5) | dict.fromkeys((5, 6, 15, 17, 22, 23), 0.4) | {20: 0.45, 21: 0.9}},
    ),
    "threshold of a class by number": (
        LayoutOptions(threshold={"14": 0.1}),
        {"threshold": dict.fromkeys(range(25), 0.5) | dict.fromkeys((5, 6, 15, 17, 22, 23), 0.4) | {20: 0.45, 14: 0.1}},
    ),
    "grown": (LayoutOptions(unclip_ratio=1.1), {"layout_unclip_ratio": 1.1}),
    "grown by a whole number": (LayoutOptions(unclip_ratio=2), {"layout_unclip_ratio": (2.0, 2.0)}),
    "grown downwards": (LayoutOptions(unclip_ratio=(1.0, 1.2)), {"layout_unclip_ratio": (1.0, 1.2)}),
    "a class grown": (
        LayoutOptions(unclip_ratio={"text": (1.1, 1.5)}),
        {"layout_unclip_ratio": dict.fromkeys(range(25), (1.0, 1.0)) | {22: (1.1, 1.5)}},
    ),
    "outer": (LayoutOptions(merge_bboxes_mode="large"), {"layout_merge_bboxes_mode": "large"}),
    "inner": (LayoutOptions(merge_bboxes_mode="small"), {"layout_merge_bboxes_mode": "small"}),
    "both": (LayoutOptions(merge_bboxes_mode="union"), {"layout_merge_bboxes_mode": "union"}),
    "outer of a class": (
        LayoutOptions(merge_bboxes_mode={"chart": "union", "table": "large"}),
        {
            "layout_merge_bboxes_mode": dict.fromkeys(range(25), "union")
            | dict.fromkeys((5, 6, 15, 17, 21), "large")
        },
    ),
    "rectangles": (LayoutOptions(shape_mode="rect"), {"layout_shape_mode": "rect"}),
    "quadrangles": (LayoutOptions(shape_mode="quad"), {"layout_shape_mode": "quad"}),
    "polygons": (LayoutOptions(shape_mode="poly"), {"layout_shape_mode": "poly"}),
    "polygons, low threshold": (
        LayoutOptions(shape_mode="poly", threshold=0.1), {"layout_shape_mode": "poly", "threshold": 0.1},
    ),
}  # fmt: skip
# With a threshold by class PaddleX sorts the boxes by it, and V3's default is one for all.
V3_TABLE = {"threshold of a class": (21, 0.9), "threshold of a class by number": (14, 0.1)}


def pages_to_find() -> list[np.ndarray]:
    return [
        paint([*PAGE, *TWICE, *NESTED]), paint([LEANING, LEFT]), paint([*reversed(PAGE)], 1600, 1600),
        paint([*TWICE], 800, 1600), paint([]),
        paint([Painted("table", (80, 80, 720, 400)), Painted("text", (120, 120, 400, 200))]),
    ]  # fmt: skip


def theirs(predictor: Any, page: np.ndarray, options: dict[str, Any]) -> list[dict[str, Any]]:
    (result,) = predictor(page, filter_overlap_boxes=False, **options)
    return [_plain(box) for box in result["boxes"]]


def _plain(box: dict[str, Any]) -> dict[str, Any]:
    points = box.get("polygon_points")
    return {
        **box,
        "coordinate": [float(side) for side in box["coordinate"]],
        "polygon_points": None if points is None else [[float(x), float(y)] for x, y in points],
    }


def ours(boxes: list[LayoutBox]) -> list[dict[str, Any]]:
    return [
        {
            "cls_id": box.cls_id, "label": box.label, "score": box.score, "coordinate": list(box.coordinate),
            "order": box.order,
            "polygon_points": None if box.polygon_points is None else [list(each) for each in box.polygon_points],
        }
        for box in boxes
    ]  # fmt: skip


def given_to_paddlex(name: str, model: str) -> dict[str, Any]:
    options = dict(OPTIONS[name][1])
    if model == V3 and name in V3_TABLE:
        class_id, threshold = V3_TABLE[name]
        options["threshold"] = dict.fromkeys(range(25), 0.3) | {class_id: threshold}
    return options


@pytest.mark.parametrize("model", [V2, V3])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_page_is_read_as_paddlex_reads_it_with_these_options(detectors, paddlex, model, name):
    for page in pages_to_find():
        (boxes,) = detectors[model].detect([page], [OPTIONS[name][0]])
        assert ours(boxes) == theirs(paddlex[model], page, given_to_paddlex(name, model))


@pytest.mark.parametrize("model", [V2, V3])
def test_pages_of_one_batch_are_each_read_with_their_own_options(detectors, paddlex, model):
    names = list(OPTIONS)
    page = pages_to_find()[0]
    for first in range(0, len(names), 8):
        batch = names[first : first + 8]
        answers = detectors[model].detect([page] * len(batch), [OPTIONS[name][0] for name in batch])
        for name, boxes in zip(batch, answers, strict=True):
            assert ours(boxes) == theirs(paddlex[model], page, given_to_paddlex(name, model)), name


def test_the_options_of_these_tests_make_a_difference(detectors):
    """Else all of this could be equal and say nothing."""
    pages = pages_to_find()
    for model, same in {V2: {"nothing", "rectangles", "quadrangles", "polygons"}, V3: {"nothing"}}.items():
        usual = [detectors[model].detect([page], [LayoutOptions()])[0] for page in pages]
        unchanged = {
            name
            for name, (options, _) in OPTIONS.items()
            if usual == [detectors[model].detect([page], [options])[0] for page in pages]
        }
        assert unchanged == same


def test_nms_can_be_switched_off_though_the_configuration_has_it_on(detectors, paddlex):
    page = paint(TWICE)
    options = LayoutOptions(threshold=0.05)
    (once,) = detectors[V2].detect([page], [options])
    (twice,) = detectors[V2].detect([page], [replace(options, nms=False)])
    assert found(once) == [("text", TWICE[1].box, 1)]
    assert [box.coordinate for box in twice] == [tuple(map(float, each.box)) for each in TWICE]
    # PaddleX cannot: a false counts as nothing said.
    assert len(theirs(paddlex[V2], page, {"threshold": 0.05, "layout_nms": False})) == 1


def test_of_nested_regions_the_one_that_was_asked_for_stays(detectors):
    outer, inner = NESTED
    page = paint(NESTED)
    for mode, labels in {
        "large": ["chart"], "small": ["text"], "union": ["chart", "text"],
        "chart is not named": ["chart"],
    }.items():  # fmt: skip
        asked = {"table": "small"} if mode == "chart is not named" else mode
        (boxes,) = detectors[V2].detect([page], [LayoutOptions(merge_bboxes_mode=asked)])
        assert [box.label for box in boxes] == labels, mode
    assert outer.label == "chart"
    assert inner.label == "text"
