"""Regions of a page, made up from its size: deterministic, about as many and as large as on a printed page."""

import random
import zlib
from dataclasses import dataclass

# A page has one or two columns of paragraphs, a header and a number; some have a table, a figure, formulas.
_TWO_COLUMNS = 0.6
_TABLE = 0.35
_FIGURE = 0.3
_FORMULA = 0.08
_HEADING = 0.15

# In parts of the page's height.
_TOP, _BOTTOM = 0.09, 0.93
_GAP = 0.012
_PARAGRAPH = (0.07, 0.18)
_TABLE_HEIGHT = (0.12, 0.22)
_FIGURE_HEIGHT = (0.12, 0.2)
_FORMULA_HEIGHT = 0.035
_HEADING_HEIGHT = 0.018


@dataclass(frozen=True, slots=True)
class SimulatedRegion:
    """One region: a label of PP-DocLayoutV2 and a box in pixels of the page."""

    label: str
    box: tuple[float, float, float, float]


def make_regions(width: int, height: int, seed: int = 0) -> list[SimulatedRegion]:
    """Regions of a page of this size in reading order; always the same for the same size and seed."""
    chance = random.Random(zlib.crc32(f"{width}x{height}:{seed}".encode()))
    regions = [("header", (0.1, 0.03, 0.6, 0.05)), ("doc_title", (0.15, 0.055, 0.85, 0.08))]
    columns = [(0.08, 0.49), (0.51, 0.92)] if chance.random() < _TWO_COLUMNS else [(0.08, 0.92)]
    for left, right in columns:
        regions += _column(chance, left, right, wide=len(columns) == 1)
    regions.append(("number", (0.47, 0.955, 0.53, 0.97)))
    return [
        SimulatedRegion(label, (x1 * width, y1 * height, x2 * width, y2 * height))
        for label, (x1, y1, x2, y2) in regions
    ]


def _column(
    chance: random.Random, left: float, right: float, *, wide: bool
) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Fill one column from top to bottom."""
    regions = []
    place = _TOP
    # At most one of each in a column; lines that are twice as long hold as much in half the height.
    kinds = [label for label, odds in (("table", _TABLE), ("image", _FIGURE)) if chance.random() < odds]
    while place < _BOTTOM - _PARAGRAPH[0]:
        label, height = _next_block(chance, kinds, wide=wide)
        height = min(height, _BOTTOM - place)
        regions.append((label, (left, place, right, place + height)))
        place += height + _GAP
    return regions


def _next_block(chance: random.Random, kinds: list[str], *, wide: bool) -> tuple[str, float]:
    if kinds and chance.random() < 0.3:
        label = kinds.pop()
        return label, chance.uniform(*(_TABLE_HEIGHT if label == "table" else _FIGURE_HEIGHT))
    drawn = chance.random()
    if drawn < _FORMULA:
        return "display_formula", _FORMULA_HEIGHT
    if drawn < _FORMULA + _HEADING:
        return "paragraph_title", _HEADING_HEIGHT
    low, high = _PARAGRAPH
    return "text", chance.uniform(low, high) * (0.6 if wide else 1.0)
