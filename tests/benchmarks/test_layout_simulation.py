"""The simulated layout detector: pages like printed ones, the same for the product and the baseline."""

import statistics
import time

import numpy as np
import pytest

from benchmarks.reference.pipeline import SimulatedLayoutModel
from benchmarks.simulators.layout.costs import DetectorClock, LayoutCosts
from benchmarks.simulators.layout.detector import SimulatedDetector
from benchmarks.simulators.layout.regions import make_regions
from benchmarks.simulators.pictures import fit_patches
from benchmarks.simulators.settings import LayoutSimulation
from docparse.layout.detector import LayoutOptions
from docparse.options import ParseOptions
from docparse.regions import build_regions

AT_ONCE = DetectorClock(LayoutCosts(0, 0))
SIZES = [(1190 + 2 * number, 1684 + 3 * number) for number in range(60)]


def blank(width: int, height: int):
    return np.full((height, width, 3), 255, np.uint8)


def product_boxes(width: int, height: int):
    return SimulatedDetector(AT_ONCE, 0).detect([blank(width, height)], [LayoutOptions()])[0]


def test_the_same_page_has_the_same_regions_and_another_seed_has_others():
    assert make_regions(1190, 1684) == make_regions(1190, 1684)
    assert make_regions(1190, 1684) != make_regions(1190, 1684, seed=1)


@pytest.mark.parametrize("size", SIZES[:10])
def test_regions_lie_within_the_page_and_apart(size):
    width, height = size
    regions = make_regions(width, height)
    for region in regions:
        x1, y1, x2, y2 = region.box
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
    for one in regions:
        for other in regions:
            if one is not other:
                assert min(one.box[2], other.box[2]) <= max(one.box[0], other.box[0]) or (
                    min(one.box[3], other.box[3]) <= max(one.box[1], other.box[1])
                )


def test_a_page_has_about_fifteen_regions_for_the_vlm():
    options = ParseOptions.from_wire({"visualize": False})
    counts, tokens = [], []
    for size in SIZES:
        page = build_regions(blank(*size), product_boxes(*size), options, position=0)
        counts.append(len(page.requests))
        sizes = [fit_patches(each.image.shape[1], each.image.shape[0]) for each in page.requests]
        tokens.append(sum(rows * columns for rows, columns in sizes))
    assert statistics.mean(counts) == pytest.approx(15, rel=0.1)
    assert 2000 <= statistics.mean(tokens) <= 4000


def test_product_and_baseline_see_the_same_boxes():
    width, height = SIZES[3]
    (result,) = SimulatedLayoutModel(AT_ONCE, 0)([blank(width, height)])
    ours = [(box.label, box.cls_id, list(box.coordinate)) for box in product_boxes(width, height)]
    theirs = [(box["label"], box["cls_id"], box["coordinate"]) for box in result["boxes"]]
    assert ours == theirs


def test_a_batch_takes_its_set_time():
    costs = LayoutCosts(0.02, 0.01)
    started = time.monotonic()
    SimulatedDetector(DetectorClock(costs), 0).detect([blank(100, 100)] * 3, [LayoutOptions()] * 3)
    assert time.monotonic() - started >= costs.batch(3) == pytest.approx(0.05)


def test_what_triton_is_told_is_what_its_models_read():
    told = LayoutSimulation(seed=7, faster=4.0)
    assert LayoutSimulation.from_environment(told.environment()) == told
    assert told.costs.page_seconds == LayoutCosts().page_seconds / 4
