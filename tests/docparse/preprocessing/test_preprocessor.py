"""Pages are turned and flattened as PaddleX's document preprocessor does it, whoever shares their batch."""

import numpy as np
import pytest

from docparse.preprocessing import PreprocessingOptions
from tests.docparse.preprocessing.oracle import load_ours, load_paddlex, marked_page, write_models

BOTH = PreprocessingOptions(orientation=True, unwarping=True)
TURN = PreprocessingOptions(orientation=True, unwarping=False)
FLATTEN = PreprocessingOptions(orientation=False, unwarping=True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def ours(folders):
    return load_ours(folders)


@pytest.fixture(scope="module")
def paddlex(folders):
    return load_paddlex(folders)


def theirs(pipeline, page, options):
    (result,) = pipeline(
        [page], use_doc_orientation_classify=options.orientation, use_doc_unwarping=options.unwarping
    )
    return result["angle"], result["output_img"]


def same(done, expected):
    angle, image = expected
    return done.angle == angle and done.image.shape == image.shape and bool((done.image == image).all())


@pytest.mark.parametrize(("turns", "angle"), [(0, 0), (1, 90), (2, 180), (3, 270)])
def test_a_page_is_turned_upright(ours, turns, angle):
    (done,) = ours.preprocess([marked_page(turns=turns)], [TURN])
    assert done.angle == angle
    upright = marked_page()
    assert done.image.shape == upright.shape
    # PaddleX turns by a general rotation, which blurs and moves by up to a pixel.
    assert np.abs(done.image[20:100, 20:130].astype(int) - upright[20:100, 20:130]).max() <= 3


def test_a_page_is_flattened_as_the_network_says(ours):
    page = marked_page()
    (done,) = ours.preprocess([page], [FLATTEN])
    assert done.angle == -1
    # By one at most: PaddleX cuts what 1/255 times 255 leaves.
    assert np.abs(done.image.astype(int) - np.roll(page, 40, axis=1)).max() <= 1


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("options", [BOTH, TURN, FLATTEN], ids=["both", "turn", "flatten"])
@pytest.mark.parametrize("size", [(300, 240), (200, 290), (333, 333)])
def test_a_page_comes_out_as_from_paddlex(ours, paddlex, turns, options, size):
    page = marked_page(*size, turns=turns, seed=turns)
    (done,) = ours.preprocess([page], [options])
    assert same(done, theirs(paddlex, page, options))


def test_pages_of_one_batch_are_treated_as_each_alone(ours, paddlex):
    pages = [marked_page(280 + 10 * n, 240 + 7 * n, turns=n % 4, seed=n) for n in range(8)]
    options = [(BOTH, TURN, FLATTEN)[n % 3] for n in range(8)]
    for done, page, asked in zip(ours.preprocess(pages, options), pages, options, strict=True):
        assert same(done, theirs(paddlex, page, asked))


def test_a_page_is_turned_before_it_is_flattened(ours):
    """The network moves to the right what is then upright."""
    (done,) = ours.preprocess([marked_page(turns=1)], [BOTH])
    (turned,) = ours.preprocess([marked_page(turns=1)], [TURN])
    assert np.abs(done.image.astype(int) - np.roll(turned.image, 40, axis=1)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (9, 4000)])
def test_a_page_of_any_size_is_looked_at_within_bounds(ours, size):
    page = np.full((*size, 3), 200, np.uint8)
    (done,) = ours.preprocess([page], [TURN])
    assert sorted(done.image.shape[:2]) == sorted(size)


def test_the_page_itself_is_left_as_it_was(ours):
    page = marked_page(turns=1)
    before = page.copy()
    ours.preprocess([page], [BOTH])
    assert np.array_equal(page, before)


def test_only_what_is_configured_is_loaded(folders):
    turner = load_ours({"doc_orientation_model_dir": folders["doc_orientation_model_dir"]})
    assert turner.everything == TURN
    with pytest.raises(ValueError, match="unwarping"):
        turner.preprocess([marked_page()], [BOTH])
    flattener = load_ours({"doc_unwarping_model_dir": folders["doc_unwarping_model_dir"]})
    assert flattener.everything == FLATTEN
    with pytest.raises(ValueError, match="orientation"):
        flattener.preprocess([marked_page()], [BOTH])
