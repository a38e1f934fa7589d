"""A region while it is being worked out: what the network called it, and the lines of text that are its own."""

from dataclasses import dataclass
from typing import Final

from docparse.layout.detector import Box
from docparse.layout.geometry import bounding
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
    """The middle of a line, which any box that means the line covers, however tight it is or however it leans."""
    x1, y1, x2, y2 = line.box
    inset = 0.35 * line.height
    across = min(inset, (x2 - x1) / 4)
    down = max((y2 - y1) / 2 - inset, 0.0) + 0.2 * line.height
    down = min(down, 0.45 * (y2 - y1))
    return (x1 + across, y1 + down, x2 - across, y2 - down)
