"""What a request may ask of detection really changes the answer."""

from itertools import combinations

import pytest

from docparse.layout.detector import LayoutOptions, per_class
from docparse.layout.geometry import coverage
from docparse.layout.labels import LABEL_IDS
from docparse.layout.lines import TextLine, TextLines
from docparse.layout.picodet import Candidate
from docparse.layout.selection import select
from tests.docparse.layout.examples import covered_ink, load_page


@pytest.fixture(scope="module")
def invoice():
    return load_page("invoice")


def detect(detector, page, **options):
    return detector.detect([page.image], [LayoutOptions(**options)])[0]


@pytest.mark.parametrize("key", ["table", LABEL_IDS["table"], str(LABEL_IDS["table"])])
def test_a_class_is_named_by_label_or_id(key):
    assert per_class({key: 0.7}, "table") == 0.7
    assert per_class({key: 0.7}, "text") is None
    assert per_class(0.7, "text") == 0.7
    assert per_class(None, "text") is None


def test_a_threshold_drops_what_is_less_sure_and_keeps_its_text(detector, invoice):
    usual = detect(detector, invoice)
    strict = detect(detector, invoice, threshold=0.9)
    assert [box.score for box in usual if box.label == "table"] != [
        box.score for box in strict if box.label == "table"
    ]
    assert len([box for box in strict if box.label == "table"]) == 1
    for region in invoice.regions:
        if region.label != "table":
            assert covered_ink(region.box, strict, invoice.image) > 0.9


def test_a_threshold_for_one_class_leaves_the_others_alone(detector, invoice):
    usual = detect(detector, invoice)
    without = detect(detector, invoice, threshold={"table": 0.99})
    assert not [box for box in without if box.label == "table"]
    assert [box for box in without if box.label == "doc_title"] == [
        box for box in usual if box.label == "doc_title"
    ]


@pytest.mark.parametrize("ratio", [1.1, (1.1, 1.1), [1.1, 1.1], {"table": 1.1}, {"21": (1.1, 1.1)}])
def test_unclip_grows_regions_about_their_centre(detector, invoice, ratio):
    [usual] = [b for b in detect(detector, invoice) if b.label == "table" and b.score > 0.9]
    [grown] = [
        b for b in detect(detector, invoice, unclip_ratio=ratio) if b.label == "table" and b.score > 0.9
    ]
    x1, y1, x2, y2 = usual.coordinate
    assert grown.coordinate[2] - grown.coordinate[0] == pytest.approx(1.1 * (x2 - x1), abs=2)
    assert (grown.coordinate[1] + grown.coordinate[3]) / 2 == pytest.approx((y1 + y2) / 2, abs=2)


def test_without_nms_regions_may_say_the_same_twice(detector, invoice):
    def nested(found):
        return [1 for a, b in combinations(found, 2) if coverage(b.coordinate, a.coordinate) > 0.5]

    assert nested(detect(detector, invoice, nms=False))
    assert not nested(detect(detector, invoice, nms=True))


def test_polygons_come_unless_the_shape_is_rect(detector, invoice):
    assert all(box.polygon_points is None for box in detect(detector, invoice, shape_mode="rect"))
    for box in detect(detector, invoice, shape_mode="auto"):
        x1, y1, x2, y2 = box.coordinate
        assert box.polygon_points == [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


OUTER = Candidate("figure", 0.9, (0.0, 0.0, 400.0, 400.0))
INNER = Candidate("table", 0.8, (100.0, 100.0, 300.0, 300.0))
CELL = TextLine((120.0, 120.0, 280.0, 140.0), 20.0, 0.9)


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        ("large", {"figure"}),
        ("small", {"table"}),
        ("union", {"figure", "table"}),
        ({"image": "large", "table": "union"}, {"figure"}),
        ({"table": "small"}, {"table"}),
    ],
)
def test_nested_regions_are_merged_as_asked(mode, kept):
    regions, _ = select([OUTER, INNER], TextLines([CELL], 0.0), 1000, LayoutOptions(merge_bboxes_mode=mode))
    assert {region.kind for region in regions} == kept
