import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from docparse.crops import PATCH_PIXELS, encode_crop, fit_sides, resize_to_limits

MIN_PIXELS, MAX_PIXELS = 112_896, 1_003_520


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_fitted_sides_are_multiples_of_the_patch_and_within_the_limits(height, width):
    fitted = fit_sides(height, width, MIN_PIXELS, MAX_PIXELS)
    assert all(side % PATCH_PIXELS == 0 and side > 0 for side in fitted)
    assert fitted[0] * fitted[1] >= MIN_PIXELS
    # A strip thinner than a patch is widened to one, whatever its area.
    if min(fitted) > PATCH_PIXELS:
        assert fitted[0] * fitted[1] <= MAX_PIXELS


@pytest.mark.parametrize(
    ("sides", "limits", "fitted"),
    [
        ((1000, 2000), (2_000_000, 1_003_520), (700, 1400)),  # above the most: made smaller
        ((100, 200), (2_000_000, 1_003_520), (1008, 2016)),  # below both: made larger, past the most
    ],
)
def test_limits_that_cross_are_taken_as_the_models_processor_takes_them(sides, limits, fitted):
    assert fit_sides(*sides, *limits) == fitted


def test_a_crop_keeps_its_aspect_when_it_is_scaled():
    image = np.zeros((2000, 1000, 3), np.uint8)
    resized = resize_to_limits(image, MIN_PIXELS, MAX_PIXELS)
    height, width = resized.shape[:2]
    assert abs(height / width - 2) < 0.1


def test_a_crop_that_already_fits_is_not_copied():
    image = np.zeros((560, 560, 3), np.uint8)
    assert resize_to_limits(image, MIN_PIXELS, MAX_PIXELS) is image


def test_an_encoded_crop_is_a_data_url_of_the_same_picture():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :, 0] = 255  # blue, in BGR
    prefix, encoded = encode_crop(image).split(b",")
    assert prefix == b"data:image/jpeg;base64"
    red, green, blue = Image.open(io.BytesIO(base64.b64decode(encoded))).resize((1, 1)).getpixel((0, 0))
    assert max(red, green) < 10
    assert blue > 240
