"""Cuts a block of text into its paragraphs; the network often gives several as one."""

from itertools import pairwise
from statistics import median

from docparse.layout.lines import TextLine
from docparse.layout.regions import Region, upright_y

WIDER_THAN_LEADING = (
    1.17  # of the block's own distance between lines; the detector's places are good to a tenth
)
INDENT_HEIGHTS = 0.8  # of a line's height
SHORT_LINE_HEIGHTS = 2.0  # how far before the right edge a paragraph's last line ends


def split_paragraphs(region: Region, slope: float) -> list[Region]:
    """Cut at wider gaps between lines, and where an indented line follows a short one."""
    rows = _rows(region.lines, slope)
    if len(rows) < 3:
        return [region]
    steps = [_y(b, slope) - _y(a, slope) for a, b in pairwise(rows)]
    # The lower half of the distances: in a block of short paragraphs the gaps would raise the middle.
    leading = median(sorted(steps)[: len(steps) // 2 + 1])
    left = min(line.box[0] for line in region.lines)
    right = max(line.box[2] for line in region.lines)
    groups = [[rows[0]]]
    for (above, below), step in zip(pairwise(rows), steps, strict=True):
        height = median(line.height for line in below)
        indented = min(line.box[0] for line in below) - left > INDENT_HEIGHTS * height
        short = right - max(line.box[2] for line in above) > SHORT_LINE_HEIGHTS * height
        flush = min(line.box[0] for line in above) - left < INDENT_HEIGHTS * height
        if step > WIDER_THAN_LEADING * leading or (indented and short and flush):
            groups.append([])
        groups[-1].append(below)
    return [_part(region, [line for row in group for line in row]) for group in groups]


def _part(region: Region, lines: list[TextLine]) -> Region:
    part = Region(region.kind, region.score, region.box, tuple(lines))
    return Region(region.kind, region.score, part.text_box, part.lines)


def _y(row: list[TextLine], slope: float) -> float:
    return median(upright_y(line.box, slope) for line in row)


def _rows(lines: tuple[TextLine, ...], slope: float) -> list[list[TextLine]]:
    """Pieces of one line side by side make one row."""
    rows: list[list[TextLine]] = []
    for line in lines:
        if rows and abs(upright_y(line.box, slope) - _y(rows[-1], slope)) < 0.5 * line.height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows
