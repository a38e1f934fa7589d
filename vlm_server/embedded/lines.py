"""Lines of text: their order on the page, and how they join to running text."""

import itertools
import re
from dataclasses import dataclass

import numpy as np

from vlm_server.embedded.models import Quad

# Chinese and Japanese letters and punctuation: written without spaces.
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
_HYPHENATED = re.compile(r"[^\W\d_]{2,}-$")
_COLUMN_LINES = 4  # fewer lines a side are a pair of labels and values, not columns
_COLUMN_GAP = 0.4  # of a line's height; boxes have margins, so the gutter on the page is wider
_COLUMN_WIDTH = 8.0  # line heights; narrower lines are labels


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was read; the quad is in pixels of the image that was asked about."""

    text: str
    score: float
    quad: Quad

    @property
    def left(self) -> float:
        """Leftmost pixel."""
        return float(self.quad[:, 0].min())

    @property
    def right(self) -> float:
        """Rightmost pixel."""
        return float(self.quad[:, 0].max())

    @property
    def middle(self) -> float:
        """Vertical middle, pixels."""
        return float(self.quad[:, 1].mean())

    @property
    def height(self) -> float:
        """Height across the writing, which a lean does not stretch; pixels."""
        return float(np.linalg.norm(self.quad[3] - self.quad[0]))


def arrange(lines: list[Line]) -> list[list[Line]]:
    """Rows in reading order, each from left to right; full columns of text are read one after the other."""
    if not lines:
        return []
    typical = float(np.median([line.height for line in lines]))
    split = _column_gap(lines, typical)
    if split is None:
        return _rows(lines)
    left = [line for line in lines if line.right <= split]
    right = [line for line in lines if line.left >= split]
    across = [line for line in lines if line.left < split < line.right]
    top = min(line.middle for line in (*left, *right))
    above = [line for line in across if line.middle < top]
    below = [line for line in across if line.middle >= top]
    return [*_rows(above), *arrange(left), *arrange(right), *_rows(below)]


def join_row(row: list[Line]) -> str:
    """The pieces of one row as text."""
    text = ""
    for line in row:
        text = _join(text, line.text.strip())
    return text


def running_text(lines: list[Line]) -> str:
    r"""The text with its lines joined, as PaddleOCR-VL gives it.

    A new line stays only where the print breaks on purpose: where the next word would still have fitted. A
    word that was hyphenated at a line's end is put together; Chinese and Japanese join without a space.
    """
    rows = arrange(lines)
    if not rows:
        return ""
    right_edge = max(row[-1].right for row in rows)
    text = join_row(rows[0])
    for before, row in itertools.pairwise(rows):
        following = join_row(row)
        broken = _fits(following, row, right_edge - before[-1].right)
        text = f"{text}\n{following}" if broken else _join(text, following, wrapped=True)
    return text


def _fits(text: str, row: list[Line], room: float) -> bool:
    """Whether the first word of `text` would have fitted into `room` pixels."""
    if not text:
        return False
    width = row[-1].right - row[0].left
    first = text[0] if _WIDE.match(text) else text.split(maxsplit=1)[0]
    # A character and a half of slack: justified and ragged lines end a little short, and East Asian
    # punctuation may not begin a line.
    per_character = width / max(1, len(text))
    slack = 2.5 if _WIDE.match(text) else 1.5
    return room > (len(first) + slack) * per_character


def _join(text: str, following: str, *, wrapped: bool = False) -> str:
    if not text or not following:
        return text + following
    if wrapped and _HYPHENATED.search(text) and following[0].islower():
        return text[:-1] + following
    if _WIDE.match(text[-1]) and _WIDE.match(following[0]):
        return text + following
    return f"{text} {following}"


def _rows(lines: list[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda item: item.middle):
        if rows and _same_row(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _same_row(row: list[Line], line: Line) -> bool:
    """Beside its nearest neighbour, at half a line's height at most, and not over it."""
    nearest = min(row, key=lambda item: abs(item.left - line.left))
    height = min(nearest.height, line.height)
    overlap = min(nearest.right, line.right) - max(nearest.left, line.left)
    return abs(nearest.middle - line.middle) < 0.5 * height and overlap < height


def _column_gap(lines: list[Line], typical: float) -> float | None:
    """The x of a gutter with several long lines on both sides that stand beside each other."""
    if len(lines) < 2 * _COLUMN_LINES:
        return None
    edges = sorted(line.right for line in lines)
    for edge in edges:
        left = [line for line in lines if line.right <= edge]
        right = [line for line in lines if line.left >= edge + _COLUMN_GAP * typical]
        across = len(lines) - len(left) - len(right)
        if min(len(left), len(right)) < _COLUMN_LINES or across > 0.2 * len(lines):
            continue
        long_enough = all(
            sum(line.right - line.left > _COLUMN_WIDTH * typical for line in side) >= _COLUMN_LINES
            for side in (left, right)
        )
        beside = min(max(x.middle for x in left), max(x.middle for x in right)) - max(
            min(x.middle for x in left), min(x.middle for x in right)
        )
        if long_enough and beside > 2 * typical:
            return edge + 0.5 * _COLUMN_GAP * typical
    return None
