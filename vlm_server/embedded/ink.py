"""Where the ink is: binarising, the size of the text, and lines of text that need no network to be found.

Most regions of a page are upright lines with white between them. Their rows are found here in a millisecond
or two; whatever is not that simple is left to the detector.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vlm_server.embedded.models import Image, Quad

Mask = npt.NDArray[np.uint8]  # HxW, 255 where there is ink

_MIN_CONTRAST = 24  # grey levels between paper and ink; scanner noise stays below
_MIN_INK_HEIGHT = 5  # pixels; smaller specks say nothing about the size of the text
_DETECTOR_TEXT_HEIGHT = 11.0  # pixels of a capital letter at which the detector still finds every line
_MIN_SCALE = 0.25
_MAX_DETECTOR_PIXELS = 1_600_000  # a 1280-pixel page twice over: bounds time and memory of one call
_MAX_GAP = 2.0  # in row heights: a wider hole in a row may be a gutter between columns
_MAX_HOLES = 0.35  # of a row's width: more is a table, or vertical text
_MARGIN = 0.35  # of a row's height on each side: what the recogniser reads best, and cheaper than a tight box


@dataclass(frozen=True, slots=True)
class Row:
    """One printed line: half-open pixel ranges, tight around its ink."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Pixels from the highest to the lowest ink."""
        return self.bottom - self.top


def find_ink(image: Image) -> Mask | None:
    """Binarise; None when the picture holds nothing that stands out from its background."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    _level, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    dark = mask > 0
    count = int(dark.sum())
    if count in (0, dark.size):
        return None
    if float(grey[~dark].mean()) - float(grey[dark].mean()) < _MIN_CONTRAST:
        return None
    ink: Mask = mask if count * 2 <= dark.size else cv2.bitwise_not(mask)
    return ink


def capital_height(mask: Mask) -> float:
    """Height of most of the taller marks in pixels: a capital letter, or most of a Chinese character."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    heights, widths = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH]
    marks = heights[(heights >= _MIN_INK_HEIGHT) & (widths < 8 * heights) & (heights < 10 * widths)]
    return float(np.percentile(marks, 75)) if len(marks) else float(mask.shape[0])


def detector_scale(mask: Mask) -> float:
    """By how much to shrink a picture before detection: no finer than its text needs."""
    fit = math.sqrt(_MAX_DETECTOR_PIXELS / mask.size)
    scale = max(_MIN_SCALE, _DETECTOR_TEXT_HEIGHT / capital_height(mask))
    return min(1.0, fit, scale)


def find_rows(mask: Mask) -> list[Row] | None:
    """The printed lines, top to bottom, if white between them separates them beyond doubt.

    Returns:
        [] when there is no ink; None when this picture needs the detector.
    """
    clean = _without_specks(mask)
    found = runs((clean > 0).any(axis=1))
    if not found:
        return []
    found = _join_fragments(found)
    heights = np.array([bottom - top for top, bottom in found])
    typical = float(np.median(heights))
    if heights.min() < 0.5 * typical or heights.max() > 1.6 * typical:
        return None
    if len(found) <= 2 and typical > 2.2 * capital_height(clean):
        return None  # lines that lean into each other, or a picture
    rows = []
    for top, bottom in found:
        columns = (clean[top:bottom] > 0).any(axis=0)
        ink = np.flatnonzero(columns)
        left, right = int(ink[0]), int(ink[-1]) + 1
        if not _is_text_like(columns[left:right], bottom - top):
            return None
        rows.append(Row(top, bottom, left, right))
    return rows


def row_quads(rows: list[Row], shape: tuple[int, ...]) -> list[Quad]:
    """Boxes for the recogniser: each row with a margin, at most up to the middle of the white beside it."""
    height, width = shape[:2]
    quads = []
    for index, row in enumerate(rows):
        margin = max(2, round(_MARGIN * row.height))
        above = (row.top - rows[index - 1].bottom) // 2 if index else row.top
        below = (rows[index + 1].top - row.bottom) // 2 if index + 1 < len(rows) else height - row.bottom
        top, bottom = row.top - min(margin, above), row.bottom + min(margin, below)
        left, right = max(0, row.left - margin), min(width, row.right + margin)
        quads.append(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32))
    return quads


def _is_text_like(columns: npt.NDArray[np.bool_], height: int) -> bool:
    gaps = [end - start for start, end in runs(~columns)]
    wide = [gap for gap in gaps if gap > 0.45 * height]
    return not wide or (max(wide) <= _MAX_GAP * height and sum(wide) <= _MAX_HOLES * len(columns))


def _without_specks(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count == 1:
        return mask
    keep = (stats[:, cv2.CC_STAT_AREA] >= 4).astype(np.uint8) * 255
    keep[0] = 0
    clean: Mask = keep[labels]
    return clean


def _join_fragments(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Put dots, accents and parts of characters back to their line."""
    typical = float(np.percentile([end - start for start, end in found], 75))
    joined = [found[0]]
    for start, end in found[1:]:
        before = joined[-1]
        small = min(end - start, before[1] - before[0]) < 0.5 * typical
        if small and start - before[1] <= 0.3 * typical and end - before[0] <= 1.5 * typical:
            joined[-1] = (before[0], end)
        else:
            joined.append((start, end))
    return joined


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges where `flags` is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
