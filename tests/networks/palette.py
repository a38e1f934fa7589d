"""Colours that mean a layout class, and pages painted with them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from docparse.layout.labels import LABEL_IDS, LABELS

# Four levels a channel; a colour's code is its levels as a number of three digits.
LEVELS = (0, 85, 170, 255)
_GREYS = {0, 21, 42, 63}  # black, two greys and white mean nothing
_CODES = [code for code in range(64) if code not in _GREYS]

# One colour for each class, and more for classes of which a page has several.
_MORE = ("text",) * 7 + ("image",) * 2 + ("table",) + ("paragraph_title",)
SLOTS: tuple[tuple[int, int], ...] = tuple(
    (code, LABEL_IDS[label]) for code, label in zip(_CODES, (*LABELS, *_MORE), strict=False)
)

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]


def colours_of(label: str) -> list[Colour]:
    """BGR colours in which the network sees this class."""
    return [_bgr(code) for code, class_id in SLOTS if class_id == LABEL_IDS[label]]


def _bgr(code: int) -> Colour:
    return LEVELS[code % 4], LEVELS[code // 4 % 4], LEVELS[code // 16]


@dataclass(frozen=True)
class Painted:
    """A region to be found: a rectangle of its colour, or a polygon.

    Attributes:
        label: its class.
        box: x1, y1, x2, y2 in page pixels.
        number: which of the class's colours; a page has each once.
        fill: share of the rectangle that is painted, less a hole in it; its score is about that.
        outline: corners to paint instead of the rectangle.
    """

    label: str
    box: Rectangle
    number: int = 0
    fill: float = 1.0
    outline: Sequence[tuple[int, int]] | None = None


def paint(regions: Sequence[Painted], width: int = 800, height: int = 800) -> np.ndarray:
    """A white page, BGR, later regions over earlier ones."""
    page = np.full((height, width, 3), 255, np.uint8)
    for region in regions:
        colour = colours_of(region.label)[region.number]
        x1, y1, x2, y2 = region.box
        if region.outline is not None:
            cv2.fillPoly(page, [np.array(region.outline, np.int32)], colour)
            continue
        page[y1:y2, x1:x2] = colour
        if region.fill < 1:  # a hole in the middle leaves the extent as it is
            frame = width // 100
            area, hole_width = (x2 - x1) * (y2 - y1), x2 - x1 - 2 * frame
            hole_height = min(round((1 - region.fill) * area / hole_width), y2 - y1 - 2 * frame)
            page[y1 + frame : y1 + frame + hole_height, x1 + frame : x2 - frame] = 255
    return page


def tiff_of(pages: Sequence[np.ndarray]) -> bytes:
    """The pages, BGR, as the frames of one file, without loss."""
    frames = [Image.fromarray(page[..., ::-1]) for page in pages]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_adobe_deflate")
    return buffer.getvalue()
