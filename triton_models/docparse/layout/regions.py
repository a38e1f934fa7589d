"""A region while it is being worked out: what the network called it, and which lines of text it owns."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from docparse.layout.detector import Box
from docparse.layout.geometry import bounding, height, shared_height, shared_width, width
from docparse.layout.lines import TextLine

CONTAINERS: Final = frozenset({"figure", "table"})  # their box counts; the rest are as large as their lines
RESCUED: Final = "rescued"  # lines that no region of the network covers


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the page.

    Attributes:
        kind: One of `picodet.CDLA_LABELS`, or `RESCUED`.
        score: 0..1, of the network, or of the text detector for rescued lines.
        box: Page pixels.
        lines: Its lines of text, top to bottom; no line belongs to two regions.
    """

    kind: str
    score: float
    box: Box
    lines: tuple[TextLine, ...] = ()

    @property
    def text_box(self) -> Box:
        """Smallest box round the lines, or the region's own box when it has none."""
        return bounding(line.box for line in self.lines) if self.lines else self.box


def downwards(lines: list[TextLine], slope: float) -> tuple[TextLine, ...]:
    """Sort lines from top to bottom (and left to right) of a page that leans."""
    return tuple(sorted(lines, key=lambda line: (upright_y(line.box, slope), line.box[0])))


def upright_y(box: Box, slope: float) -> float:
    """Height of the middle of a box once the page is turned upright, in pixels."""
    return (box[1] + box[3]) / 2 - slope * (box[0] + box[2]) / 2


def core(line: TextLine) -> Box:
    """The middle of a line, which any box that means the line covers, however tight or leaning."""
    x1, y1, x2, y2 = line.box
    inset = 0.35 * line.height
    across = min(inset, (x2 - x1) / 4)
    down = max((y2 - y1) / 2 - inset, 0.0) + 0.2 * line.height
    down = min(down, 0.45 * (y2 - y1))
    return (x1 + across, y1 + down, x2 - across, y2 - down)


def split_across(lines: Iterable[TextLine], boxes: list[Box]) -> list[TextLine]:
    """Cut lines that run on over a narrow gap from one region into the next, between the two.

    Args:
        lines: As the detector found them.
        boxes: Regions that are sure to be there.
    """
    parts: list[TextLine] = []
    for line in lines:
        inside = sorted(box for box in boxes if _is_part_within(line.box, box))
        borders = [
            (left[2] + right[0]) / 2
            for left, right in pairwise(inside)
            if left[2] - right[0] < line.height and line.box[0] < (left[2] + right[0]) / 2 < line.box[2]
        ]
        edges = [line.box[0], *borders, line.box[2]]
        parts += [replace(line, box=(a, line.box[1], b, line.box[3])) for a, b in pairwise(edges)]
    return parts


def _is_part_within(line: Box, box: Box) -> bool:
    """Whether the box holds a good part of the line's width, but not the whole, at the line's height."""
    share = shared_width(line, box) / max(1.0, width(line))
    return 0.15 < share < 0.85 and shared_height(line, box) > 0.6 * height(line)
