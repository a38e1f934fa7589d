"""PP-DocLayoutV2 and V3 through PaddleX, on networks with their interfaces: each page is read as was asked for it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paddlex.inference import create_predictor

from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.layout.engines import load_detector
from docparse.layout.labels import LABEL_IDS, LABELS, UNORDERED_LABELS
from docparse.layout.paddlex import PaddlexDetector
from docparse.layout.settings import LayoutSettings
from docparse.paddlex_models import ModelCannotRun, ModelPlace, load
from tests.networks.layout import write_layout_model
from tests.networks.palette import Painted, paint

V2, V3 = "PP-DocLayoutV2", "PP-DocLayoutV3"

TITLE = Painted("doc_title", (80, 40, 720, 80))
LEFT = Painted("text", (80, 120, 360, 200))
RIGHT = Painted("text", (440, 120, 720, 280), 1)
TABLE = Painted("table", (80, 240, 360, 600), fill=0.7)
FAINT = Painted("image", (440, 320, 720, 600), fill=0.2)
PAGE = [TITLE, LEFT, RIGHT, TABLE, FAINT]
# One place found twice: the second lies over the first but for a strip at its top and left.
TWICE = [Painted("text", (80, 640, 360, 760), 2), Painted("text", (100, 660, 380, 780), 3)]
NESTED = [Painted("chart", (440, 640, 720, 780)), Painted("text", (500, 680, 600, 740), 4)]
LEANING = Painted("image", (302, 302, 600, 600), outline=[(400, 300), (600, 400), (500, 600), (300, 500)])


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("layout")
    return {name: write_layout_model(folder / name, name) for name in (V2, V3)}


@pytest.fixture(scope="session")
def detectors(folders) -> dict[str, Any]:
    return {
        name: load_detector(
            LayoutSettings(layout_engine="paddlex", layout_model=name, layout_model_dir=folder)
        )
        for name, folder in folders.items()
    }


@pytest.fixture(scope="session")
def paddlex(folders) -> dict[str, Any]:
    """PaddleX's own predictors, with what the pipeline of PaddleOCR-VL gives them."""
    modes = dict.fromkeys(range(25), "union") | dict.fromkeys((3, 5, 6, 15, 17), "large")
    thresholds = dict.fromkeys(range(25), 0.5) | dict.fromkeys((5, 6, 15, 17, 22, 23), 0.4) | {20: 0.45}
    return {
        name: create_predictor(
            name, model_dir=str(folder), engine="onnxruntime", device="cpu", batch_size=8,
            threshold=thresholds if name == V2 else 0.3, layout_nms=True, layout_unclip_ratio=[1.0, 1.0],
            layout_merge_bboxes_mode=modes,
        )
        for name, folder in folders.items()
    }  # fmt: skip


def found(boxes: list[LayoutBox]) -> list[tuple[str, tuple[int, ...], int | None]]:
    return [(box.label, tuple(int(side) for side in box.coordinate), box.order) for box in boxes]


@pytest.mark.parametrize("model", [V2, V3])
@pytest.mark.parametrize("scale", [(1, 1), (2, 2), (2, 1), (3, 4)])
def test_regions_are_found_exactly_and_in_the_order_of_the_network(detectors, model, scale):
    across, down = scale
    regions = [
        replace(
            each, box=(each.box[0] * across, each.box[1] * down, each.box[2] * across, each.box[3] * down)
        )
        for each in (RIGHT, TITLE, TABLE, LEFT)
    ]
    page = paint(regions, 800 * across, 800 * down)
    (boxes,) = detectors[model].detect([page], [LayoutOptions()])
    assert found(boxes) == [
        ("doc_title", regions[1].box, 1), ("text", regions[3].box, 2), ("table", regions[2].box, None),
        ("text", regions[0].box, 3),
    ]  # fmt: skip
    assert [box.cls_id for box in boxes] == [LABEL_IDS[box.label] for box in boxes]
    assert boxes[0].score == pytest.approx(0.99, abs=1e-6)


def test_every_class_is_found_and_numbered_if_it_is_running_text(detectors):
    regions = [
        Painted(label, (40 + 150 * (n % 5), 40 + 150 * (n // 5), 140 + 150 * (n % 5), 140 + 150 * (n // 5)))
        for n, label in enumerate(LABELS)
    ]
    (boxes,) = detectors[V2].detect([paint(regions)], [LayoutOptions()])
    assert {(box.label, box.coordinate) for box in boxes} == {
        (each.label, tuple(map(float, each.box))) for each in regions
    }
    assert [box.order for box in boxes if box.label in UNORDERED_LABELS] == [None] * len(UNORDERED_LABELS)
    numbers = [box.order for box in boxes if box.order is not None]
    assert numbers == list(range(1, 1 + len(LABELS) - len(UNORDERED_LABELS)))


def test_what_paddlex_would_drop_for_its_own_pictures_is_left_to_the_pipeline(detectors):
    """Containers of references, and boxes that lie in others: `regions.py` filters them."""
    regions = [Painted("reference", (80, 80, 720, 400)), Painted("reference_content", (120, 120, 680, 200))]
    (boxes,) = detectors[V2].detect([paint(regions)], [LayoutOptions()])
    assert [box.label for box in boxes] == ["reference", "reference_content"]


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


def test_v3_gives_each_shape_that_is_asked_for(detectors):
    page = paint([LEANING])
    shapes = {}
    for mode in ("rect", "quad", "poly", "auto"):
        ((box,),) = detectors[V3].detect([page], [LayoutOptions(shape_mode=mode)])
        assert tuple(map(int, box.coordinate)) == LEANING.box
        shapes[mode] = box.polygon_points
    assert shapes["rect"] is None
    assert len(shapes["quad"]) == 4
    assert len(shapes["poly"]) > 4
    assert shapes["auto"] == shapes["quad"]
    # The corners that were painted, to a pixel of the mask, which is a quarter of the page's size.
    for corner, painted in zip(sorted(shapes["quad"]), sorted(LEANING.outline), strict=True):
        assert np.hypot(*np.subtract(corner, painted)) < 8


def test_v2_has_no_shapes_whatever_is_asked_for(detectors):
    for mode in ("rect", "quad", "poly", "auto"):
        ((box,),) = detectors[V2].detect([paint([LEANING])], [LayoutOptions(shape_mode=mode)])
        assert box.polygon_points is None


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (5, 7), (4000, 30)])
def test_a_page_of_any_size_shares_a_batch_with_others(detectors, size):
    page = paint(PAGE)
    odd = np.full((*size, 3), 255, np.uint8)
    answers = detectors[V2].detect([page, odd, page], [LayoutOptions()] * 3)
    assert answers[1] == []
    assert answers[0] == answers[2] == detectors[V2].detect([page], [LayoutOptions()])[0]


def test_a_page_without_pixels_is_empty_and_keeps_its_place(detectors):
    page = paint(PAGE)
    answers = detectors[V2].detect([np.zeros((0, 5, 3), np.uint8), page], [LayoutOptions()] * 2)
    assert answers[0] == []
    assert answers[1]


def test_a_page_that_is_a_view_is_read_like_a_copy(detectors):
    page = paint(PAGE)
    turned = np.ascontiguousarray(page[:, ::-1])[:, ::-1]
    assert detectors[V2].detect([turned], [LayoutOptions()]) == detectors[V2].detect(
        [page], [LayoutOptions()]
    )


def test_detection_leaves_the_page_as_it_was(detectors):
    page = paint(PAGE)
    before = page.copy()
    detectors[V2].detect([page], [LayoutOptions(threshold=0.1)])
    assert np.array_equal(page, before)


def test_many_batches_of_different_sizes_follow_one_another(detectors):
    """PaddleX's batch size sticks; ours is what comes."""
    pages = [paint([Painted("text", (80, 80 + 20 * n, 360, 160 + 20 * n))]) for n in range(8)]
    for size in (8, 1, 3, 8, 2):
        answers = detectors[V2].detect(pages[:size], [LayoutOptions()] * size)
        tops = [boxes[0].coordinate[1] for boxes in answers]
        assert tops == sorted(tops)
        assert all(b - a == 20 for a, b in pairwise(tops))


def test_the_thresholds_of_paddleocr_vl_hold_where_nothing_else_is_said(detectors):
    """0.4 for text, 0.5 for tables and images."""
    for fill, labels in ((0.47, ["text"]), (0.6, ["text", "table", "image"]), (0.3, [])):
        regions = [
            Painted("text", (80, 80, 360, 360), fill=fill), Painted("table", (80, 440, 360, 720), fill=fill),
            Painted("image", (440, 80, 720, 360), fill=fill),
        ]  # fmt: skip
        (boxes,) = detectors[V2].detect([paint(regions)], [LayoutOptions()])
        assert [box.label for box in boxes] == labels


def test_the_options_of_the_engine_reach_onnx_runtime(folders):
    place = ModelPlace(V2, folders[V2], threads=3, engine_config={"inter_op_num_threads": 2})
    options = load(place).runner.session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 2)
    assert not options.enable_cpu_mem_arena


def test_a_gpu_that_is_not_there_is_refused_and_not_replaced(folders):
    with pytest.raises((ModelCannotRun, RuntimeError), match="CUDA"):
        PaddlexDetector(
            ModelPlace(V2, folders[V2], device="gpu:0"), LayoutOptions(threshold=0.5), batch_size=8
        )
