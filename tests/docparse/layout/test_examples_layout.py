"""What the CPU engine finds on the example pages."""

from itertools import combinations

import pytest

from docparse.layout.cdla import CdlaDetector
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.layout.geometry import coverage, intersection, iou
from docparse.layout.labels import LABELS, UNORDERED_LABELS
from docparse.layout.lines import TextLineNetwork
from docparse.layout.regions import core
from tests.docparse.layout.examples import NAMES, Page, covered_ink, label_of, load_page

# Three quarters is the least for the paper. What is missed there: authors and their institute are one block,
# an abstract is a text, and a chart is an image to this network.
LEAST_FOUND = {"paper-1": 0.8, "paper-2": 0.9, "paper-3": 0.9, "invoice": 1.0, "chinese": 1.0, "scan": 0.9}


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def page(name: str) -> Page:
    return load_page(name)


@pytest.fixture(scope="module")
def found(detector: CdlaDetector, page: Page) -> list[LayoutBox]:
    return detector.detect([page.image], [LayoutOptions()])[0]


def closest(page: Page, found: list[LayoutBox]) -> list[tuple[str, int, float]]:
    """For each true region its label, the place of the closest found one, and their IoU."""
    matches = []
    for region in page.regions:
        overlaps = [iou(region.box, box.coordinate) for box in found]
        place = max(range(len(found)), key=overlaps.__getitem__)
        matches.append((region.label, place, overlaps[place]))
    return matches


def test_true_regions_are_found_with_the_right_label(name, page, found):
    matches = closest(page, found)
    right = [
        label for label, place, overlap in matches if overlap >= 0.5 and label_of(found[place].label) == label
    ]
    assert len(right) >= LEAST_FOUND[name] * len(matches)


def test_every_table_is_found(page, found):
    tables = [(place, overlap) for label, place, overlap in closest(page, found) if label == "table"]
    assert all(overlap >= 0.8 and found[place].label == "table" for place, overlap in tables)
    assert len([box for box in found if box.label == "table"]) == len(tables)


def test_the_order_of_blocks_is_the_order_of_reading(page, found):
    places = [place for _, place, overlap in closest(page, found) if overlap >= 0.5]
    assert places == sorted(places)


def test_no_text_is_outside_every_region(page, found):
    for region in page.regions:
        if region.has_text:
            assert covered_ink(region.box, found, page.image) > 0.999, region


def test_no_text_is_in_two_regions(page, found):
    # On the scan the upright boxes of leaning lines touch; their own ink still lies in one region only.
    for line in TextLineNetwork(intra_op_threads=2).find(page.image).lines:
        owners = [box for box in found if coverage(core(line), box.coordinate) > 0.3]
        assert len(owners) == 1, line


def test_regions_do_not_overlap(found):
    for a, b in combinations(found, 2):
        assert intersection(a.coordinate, b.coordinate) < 1


def test_boxes_are_plain_numbers_on_the_page(page, found):
    height, width = page.image.shape[:2]
    for box in found:
        x1, y1, x2, y2 = box.coordinate
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        assert all(type(side) is int for side in box.coordinate)
        assert type(box.score) is float
        assert 0 <= box.score <= 1
        assert LABELS[box.cls_id] == box.label


def test_running_text_is_numbered_from_one_and_the_rest_is_not(found):
    assert [box.order for box in found if box.label not in UNORDERED_LABELS] == list(
        range(1, 1 + sum(box.label not in UNORDERED_LABELS for box in found))
    )
    assert all(box.order is None for box in found if box.label in UNORDERED_LABELS)
