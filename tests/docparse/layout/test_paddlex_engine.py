"""PP-DocLayoutV2 and V3 through PaddleX, on networks with their interfaces: regions are where they were painted."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from docparse.layout.detector import LayoutOptions
from docparse.layout.labels import LABEL_IDS, LABELS, UNORDERED_LABELS
from docparse.layout.paddlex import PaddlexDetector
from docparse.paddlex_models import ModelCannotRun, ModelPlace, load
from tests.docparse.layout.painted import (
    LEANING,
    LEFT,
    PAGE,
    RIGHT,
    TABLE,
    TITLE,
    V2,
    V3,
    found,
)
from tests.networks.layout import write_config
from tests.networks.palette import Painted, paint
from tests.networks.preprocessing import write_unwarping_model


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


def test_a_network_that_is_no_layout_model_is_refused_at_the_start(folders, tmp_path):
    write_unwarping_model(tmp_path)
    write_config(tmp_path, V2)
    with pytest.raises(ModelCannotRun, match=rf"{tmp_path} does not answer as PP-DocLayoutV2 does"):
        PaddlexDetector(ModelPlace(V2, tmp_path), LayoutOptions(threshold=0.5), batch_size=8)
