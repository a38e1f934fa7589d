"""The exact place of a line of text, from the page's own pixels.

The line detector sees the page at a third of its size and marks the core of a line, large letters no higher
than small ones; that is enough to say where a line is, and not where its glyphs end.
"""

import cv2
import numpy as np
import numpy.typing as npt

from docparse.layout.detector import Box

Grey = npt.NDArray[np.uint8]
LOOK_BEYOND = 0.45  # of the box's height, above and below
LEAST_CONTRAST = 30  # grey levels between paper and ink; less is no print
INK_SHARE = 0.005  # of the pixels of a line, at least, are full ink
INK_LEVEL = 0.4  # of the way from paper to ink; above the noise of a scan, below the thin tail of a y
RULE_SHARE = (
    0.9  # of the rows: no glyph reaches so far above and below its line, but the rule of a table does
)


def ink_box(grey: Grey, box: Box, slope: float) -> Box | None:
    """Find where the glyphs of a line begin and end.

    Args:
        grey: The page, height x width.
        box: About where the line is, in pixels of the page.
        slope: Tangent of the page's lean; rows are taken along the line.

    Returns:
        Rectangle round the glyphs, in page pixels, its top and bottom where they are at the middle of the
        line; None when no blank row sets the line apart.
    """
    x1, x2 = max(0, int(box[0])), min(grey.shape[1], int(box[2]) + 1)
    beyond = LOOK_BEYOND * (box[3] - box[1])
    y1, y2 = max(0, int(box[1] - beyond)), min(grey.shape[0], int(box[3] + beyond) + 1)
    if x2 - x1 < 3 or y2 - y1 < 3:
        return None
    crop = _level(grey[y1:y2, x1:x2], slope)
    levels = _ink_levels(crop)
    if levels is None:
        return None
    paper, ink = levels
    limit = paper + INK_LEVEL * (ink - paper)
    marks = crop < limit if ink < paper else crop > limit
    marks[:, marks.mean(axis=0) > RULE_SHARE] = False
    printed = marks.any(axis=1)
    middle = (y2 - y1) // 2
    rows = np.flatnonzero(printed)
    if not rows.size:
        return None
    start = int(rows[np.abs(rows - middle).argmin()])
    blank = np.flatnonzero(~printed)
    above, below = blank[blank < start], blank[blank > start]
    if not above.size or not below.size:
        return None
    top, bottom = int(above[-1]) + 1, int(below[0])
    columns = np.flatnonzero(marks[top:bottom].any(axis=0))
    return float(x1 + columns[0]), float(y1 + top), float(x1 + columns[-1] + 1), float(y1 + bottom)


def _ink_levels(crop: Grey) -> tuple[float, float] | None:
    """The grey of the paper and of the ink; None without contrast. White print on black counts too."""
    shares = np.cumsum(np.bincount(crop.ravel(), minlength=256)) / crop.size
    paper, darkest, lightest = np.searchsorted(shares, [0.5, INK_SHARE, 1 - INK_SHARE])
    ink = darkest if paper - darkest >= lightest - paper else lightest
    return (float(paper), float(ink)) if abs(float(ink) - float(paper)) >= LEAST_CONTRAST else None


def _level(crop: Grey, slope: float) -> Grey:
    """Shear a crop until the line runs level; its middle column stays."""
    height, width = crop.shape
    if abs(slope) * width < 1:
        return crop
    shear = np.array([[1, 0, 0], [-slope, 1, slope * width / 2]], dtype=np.float64)
    level = cv2.warpAffine(crop, shear, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, dtype=np.uint8)
