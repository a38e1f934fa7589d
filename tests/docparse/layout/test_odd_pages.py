"""Pages that no one should send, and many pages at once."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from docparse.layout.detector import LayoutOptions
from docparse.layout.weights import open_session
from tests.docparse.layout.examples import load_page


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 4000), (4000, 1), (31, 9000), (9000, 40), (5, 5), (2000, 1500)]
)
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_page_of_any_size_has_no_regions_of_text(detector, height, width, grey):
    found = detector.detect([np.full((height, width, 3), grey, dtype=np.uint8)], [LayoutOptions()])[0]
    assert [box for box in found if box.label not in {"image", "table"}] == []


def test_noise_is_survived(detector):
    noise = np.random.default_rng(3).integers(0, 256, (900, 700, 3), dtype=np.uint8)
    for box in detector.detect([noise], [LayoutOptions()])[0]:
        assert 0 <= box.coordinate[0] < box.coordinate[2] <= 700


def test_a_picture_without_pixels_has_no_regions(detector):
    assert detector.detect([np.zeros((0, 10, 3), dtype=np.uint8)], [LayoutOptions()]) == [[]]


def test_a_lone_line_is_rescued(detector):
    page = np.full((1684, 1190, 3), 255, dtype=np.uint8)
    cv2.putText(
        page, "one line on a page", (300, 900), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 0), 2, cv2.LINE_AA
    )
    [found] = detector.detect([page], [LayoutOptions()])[0]
    assert found.label in {"text", "paragraph_title"}
    x1, y1, x2, y2 = found.coordinate
    rows, columns = np.nonzero(page.min(axis=2) < 128)
    assert x1 < columns.min() < columns.max() < x2
    assert y1 < rows.min() < rows.max() < y2


def test_white_print_on_black_is_found_as_well(detector):
    page = load_page("paper-3").image
    found = detector.detect([255 - page], [LayoutOptions()])[0]
    assert len([box for box in found if box.label in {"text", "paragraph_title"}]) >= 4


def test_pages_are_answered_in_the_order_in_which_they_were_given(detector):
    images = [load_page(name).image for name in ("invoice", "paper-3")]
    together = detector.detect(images, [LayoutOptions(), LayoutOptions()])
    assert together == [detector.detect([image], [LayoutOptions()])[0] for image in images]


def test_threads_do_not_see_each_others_pages(detector):
    images = [load_page(name).image for name in ("invoice", "paper-3", "chinese")]
    alone = [detector.detect([image], [LayoutOptions()]) for image in images]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda image: detector.detect([image], [LayoutOptions()]), images * 2))
    assert together == alone * 2


def test_weights_that_are_not_installed_are_an_error_and_not_a_download():
    with pytest.raises(FileNotFoundError, match="no_such_package"):
        open_session("no_such_package", "model.onnx", 1)
    with pytest.raises(FileNotFoundError, match="is not installed"):
        open_session("rapidocr", "models/missing.onnx", 1)
