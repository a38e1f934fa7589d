"""Final boxes: round whole lines, with a little air, and never over a neighbour's text.

Each region is read from its own crop: a cut glyph is a wrong letter, a neighbour's line is a line read twice.
"""

from statistics import median

from docparse.layout.detector import Box
from docparse.layout.geometry import area, bounding, clipped, grown, shared_height, shared_width
from docparse.layout.regions import CONTAINERS, Region

AIR_HEIGHTS = 0.18  # of a line's height, above and below: 3 px for 10 point print at 144 dpi
LEAST_AIR_PX = 2.0
DEEPEST_CUT = 0.5  # of the smaller region: beyond that, it is nested and not a neighbour


def snap(regions: list[Region], page_width: int, page_height: int) -> list[Box]:
    """Return the box of each region, in page pixels."""
    boxes = [_own_box(region) for region in regions]
    for first in range(len(boxes)):
        for second in range(first + 1, len(boxes)):
            boxes[first], boxes[second] = _apart(
                boxes[first], boxes[second], _yields(regions[first]), _yields(regions[second])
            )
    return [clipped(box, page_width, page_height) for box in boxes]


def _own_box(region: Region) -> Box:
    if region.kind in CONTAINERS or region.kind == "equation":
        # A fraction bar or a frame is not a line of text, so the network's box counts as well.
        return bounding([region.box, region.text_box])
    if not region.lines:
        return region.box
    air = max(LEAST_AIR_PX, AIR_HEIGHTS * median(line.height for line in region.lines))
    return grown(region.text_box, air)


def _yields(region: Region) -> bool:
    """Whether the region gives way: the network's frames are rougher than the lines of a text."""
    return region.kind in CONTAINERS or not region.lines


def _apart(a: Box, b: Box, a_yields: bool, b_yields: bool) -> tuple[Box, Box]:  # noqa: FBT001
    """Move two overlapping boxes apart where they overlap least; nested boxes stay as they are."""
    wide, tall = shared_width(a, b), shared_height(a, b)
    if wide <= 0 or tall <= 0:
        return a, b
    axis = 1 if tall <= wide else 0
    depth = min(wide, tall)
    smaller = min(a[axis + 2] - a[axis], b[axis + 2] - b[axis])
    if depth > DEEPEST_CUT * smaller or area(a) <= 0 or area(b) <= 0:
        return a, b
    low, high = (a, b) if a[axis] + a[axis + 2] <= b[axis] + b[axis + 2] else (b, a)
    low_yields, high_yields = (a_yields, b_yields) if low is a else (b_yields, a_yields)
    share = 0.5 if low_yields == high_yields else float(high_yields)
    border = high[axis] + depth * share
    low = (low[0], low[1], border, low[3]) if axis == 0 else (low[0], low[1], low[2], border)
    high = (border, high[1], high[2], high[3]) if axis == 0 else (high[0], border, high[2], high[3])
    return (low, high) if a[axis] + a[axis + 2] <= b[axis] + b[axis + 2] else (high, low)
