"""A region's picture as the VLM gets it: within the model's pixel limits, JPEG, as a `data:` URL."""

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pybase64

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Sides are multiples of this: patches of 14 px, merged 2 x 2 (PaddleOCR-VL's image processor).
PATCH_PIXELS = 28

# High enough that text edges survive; a page's crops are a few hundred kilobytes.
_JPEG_QUALITY = 95


def encode_crop(image: "NDArray[np.uint8]") -> bytes:
    """`data:image/jpeg;base64,...` of an HxWx3 uint8 BGR picture."""
    ok, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not ok:
        raise ValueError(f"a picture of shape {image.shape} cannot be encoded")
    return b"data:image/jpeg;base64," + pybase64.b64encode(encoded.data)


def resize_to_limits(image: "NDArray[np.uint8]", min_pixels: int, max_pixels: int) -> "NDArray[np.uint8]":
    """Scale a crop as PaddleOCR-VL's own image processor would, so that the server need not.

    Both sides become multiples of 28 and their product lies within the limits, unless these cross; the aspect is kept
    as far as that allows.
    """
    height, width = image.shape[:2]
    target_height, target_width = fit_sides(height, width, min_pixels, max_pixels)
    if (target_height, target_width) == (height, width):
        return image
    shrinks = target_height * target_width < height * width
    # Area averaging keeps thin strokes when shrinking; the processor itself uses bicubic to enlarge.
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized: NDArray[np.uint8] = cv2.resize(
        image, (target_width, target_height), interpolation=interpolation
    ).astype(np.uint8, copy=False)
    return resized


def fit_sides(height: int, width: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """Height and width, multiples of 28 px, for a picture of the given sides and pixel limits.

    Limits may cross: what is above `max_pixels` is made smaller, and only what is not can be made larger.
    Source: `smart_resize` of the model's image processor (Qwen2-VL's formula).
    """
    # The processor first enlarges what is thinner than a patch, so that an extreme aspect costs what it costs there.
    if height < PATCH_PIXELS:
        height, width = PATCH_PIXELS, round(width * PATCH_PIXELS / height)
    if width < PATCH_PIXELS:
        height, width = round(height * PATCH_PIXELS / width), PATCH_PIXELS
    fitted_height = max(PATCH_PIXELS, round(height / PATCH_PIXELS) * PATCH_PIXELS)
    fitted_width = max(PATCH_PIXELS, round(width / PATCH_PIXELS) * PATCH_PIXELS)
    if fitted_height * fitted_width > max_pixels:
        scale = math.sqrt(height * width / max_pixels)
        fitted_height = max(PATCH_PIXELS, math.floor(height / scale / PATCH_PIXELS) * PATCH_PIXELS)
        fitted_width = max(PATCH_PIXELS, math.floor(width / scale / PATCH_PIXELS) * PATCH_PIXELS)
    elif fitted_height * fitted_width < min_pixels:
        scale = math.sqrt(min_pixels / (height * width))
        fitted_height = math.ceil(height * scale / PATCH_PIXELS) * PATCH_PIXELS
        fitted_width = math.ceil(width * scale / PATCH_PIXELS) * PATCH_PIXELS
    return fitted_height, fitted_width
