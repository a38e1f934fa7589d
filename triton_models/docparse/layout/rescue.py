"""Lines of text that no region covers: given to the block they continue, or made into blocks of their own."""

from dataclasses import replace
from statistics import median

from docparse.layout.geometry import shared_height, shared_width
from docparse.layout.lines import TextLine
from docparse.layout.regions import RESCUED, Region, downwards, upright_y

CONTINUED = frozenset({"text", "figure_caption", "table_caption", "reference"})
HEIGHT_RATIO = 1.6  # lines of one block have about the same size
LINE_GAP_HEIGHTS = 1.0  # blank between the glyphs of two lines; 0.4 in tight print, 0.8 in Chinese
CONTINUED_GAP_HEIGHTS = 0.6
WORD_GAP_HEIGHTS = 1.5
ALIGNED_HEIGHTS = 1.5


def attach_lines(
    regions: list[Region], loose: list[TextLine], slope: float
) -> tuple[list[Region], list[TextLine]]:
    """Give each loose line to the block that it continues; return the blocks and the lines still loose."""
    regions = list(regions)
    waiting = list(downwards(loose, slope))
    left: list[TextLine] = []
    for line in waiting:
        index = next((i for i, region in enumerate(regions) if _continues(line, region, slope)), None)
        if index is None:
            left.append(line)
            continue
        region = regions[index]
        regions[index] = replace(region, lines=downwards([*region.lines, line], slope))
    return regions, left


def rescue_lines(loose: list[TextLine], slope: float) -> list[Region]:
    """Group neighbouring loose lines into blocks."""
    groups: list[list[TextLine]] = []
    for line in downwards(loose, slope):
        touching = [group for group in groups if any(_neighbours(line, other, slope) for other in group)]
        merged = [line, *(other for group in touching for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(merged)
    regions = []
    for group in groups:
        region = Region(RESCUED, median(line.score for line in group), group[0].box, downwards(group, slope))
        regions.append(replace(region, box=region.text_box))
    return regions


def _continues(line: TextLine, region: Region, slope: float) -> bool:
    if region.kind not in CONTINUED or not region.lines:
        return False
    if any(_side_by_side(line, other, slope) for other in region.lines):
        return True
    nearest = min(
        region.lines, key=lambda other: abs(upright_y(other.box, slope) - upright_y(line.box, slope))
    )
    aligned = abs(line.box[0] - region.text_box[0]) < ALIGNED_HEIGHTS * line.height
    return aligned and _stacked(line, nearest, slope, CONTINUED_GAP_HEIGHTS)


def _neighbours(a: TextLine, b: TextLine, slope: float) -> bool:
    return _side_by_side(a, b, slope) or _stacked(a, b, slope, LINE_GAP_HEIGHTS)


def _alike(a: TextLine, b: TextLine) -> bool:
    return max(a.height, b.height) <= HEIGHT_RATIO * min(a.height, b.height)


def _side_by_side(a: TextLine, b: TextLine, slope: float) -> bool:
    gap = -shared_width(a.box, b.box)
    level = abs(upright_y(a.box, slope) - upright_y(b.box, slope)) < 0.4 * min(a.height, b.height)
    return level and _alike(a, b) and gap < WORD_GAP_HEIGHTS * min(a.height, b.height)


def _stacked(a: TextLine, b: TextLine, slope: float, gap_heights: float) -> bool:
    """One above the other, close, in the same column."""
    distance = abs(upright_y(a.box, slope) - upright_y(b.box, slope))
    least = min(a.height, b.height)
    close = distance - (a.height + b.height) / 2 < gap_heights * least
    below = shared_height(a.box, b.box) < 0.6 * least or distance > 0.6 * least
    return close and below and _alike(a, b) and shared_width(a.box, b.box) > 0
