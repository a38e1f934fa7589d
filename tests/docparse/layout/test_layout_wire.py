import json

import pytest

from docparse.errors import PageFailure
from docparse.layout.detector import LayoutBox, LayoutOptions, per_class
from docparse.layout.labels import LABEL_IDS
from docparse.layout.wire import (
    PAGE_FAILED,
    decode_boxes,
    decode_layout_options,
    decode_page_reference,
    encode_boxes,
    encode_layout_options,
    encode_page_reference,
)
from docparse.page_memory import PageReference

TEXT = LABEL_IDS["text"]


@pytest.mark.parametrize(
    "options",
    [
        LayoutOptions(),
        LayoutOptions(
            threshold=0.4, nms=False, unclip_ratio=1.1, merge_bboxes_mode="union", shape_mode="rect"
        ),
        LayoutOptions(unclip_ratio=(1.0, 1.2)),
        LayoutOptions(
            threshold={"text": 0.4},
            unclip_ratio={"table": (1.0, 1.1), "text": 1.05},
            merge_bboxes_mode={"table": "large"},
        ),
    ],
)
def test_options_arrive_as_they_were_sent(options):
    assert decode_layout_options(encode_layout_options(options)) == options


def test_options_by_class_id_are_found_by_label_on_the_other_side():
    options = LayoutOptions(threshold={TEXT: 0.7}, unclip_ratio={TEXT: (1.0, 2.0)})
    arrived = decode_layout_options(encode_layout_options(options))
    assert per_class(arrived.threshold, "text") == 0.7
    assert per_class(arrived.unclip_ratio, "text") == (1.0, 2.0)
    assert per_class(arrived.threshold, "table") is None


def test_boxes_arrive_as_they_were_sent_and_in_their_order():
    boxes = [
        LayoutBox(TEXT, "text", 0.875, (1.5, 2.0, 30.25, 40.0), 2),
        LayoutBox(LABEL_IDS["image"], "image", 0.5, (0.0, 0.0, 5.0, 5.0), None, [(0.0, 0.0), (5.0, 0.5)]),
    ]
    assert decode_boxes(encode_boxes(boxes)) == boxes


def test_a_page_without_boxes_is_an_empty_list():
    assert decode_boxes(encode_boxes([])) == []


def test_a_page_that_could_not_be_laid_out_is_told_from_one_without_boxes():
    with pytest.raises(PageFailure, match="layout"):
        decode_boxes(PAGE_FAILED)


def test_a_box_says_what_it_is_by_name():
    (box,) = json.loads(encode_boxes([LayoutBox(TEXT, "text", 0.9, (1.0, 2.0, 3.0, 4.0), 1)]))
    assert box == {
        "cls_id": TEXT,
        "label": "text",
        "score": 0.9,
        "coordinate": [1.0, 2.0, 3.0, 4.0],
        "order": 1,
        "polygon_points": None,
    }


def test_where_a_page_lies_survives_the_wire():
    reference = PageReference("/proc/12/fd/34", 1684, 1190)
    assert decode_page_reference(encode_page_reference(reference)) == reference
