"""What a first document would wait for, done before there is one: imports, caches, threads of libraries."""

import numpy as np

from docparse.assembly import ImageKeys, assemble_page, encode_pictures, render_page
from docparse.layout.detector import LayoutBox, LayoutDetector, LayoutOptions
from docparse.layout.labels import LABEL_IDS
from docparse.options import ParseOptions
from docparse.recognition import Recognition
from docparse.regions import build_regions

# A4 at 144 dpi: engines make plans and memory for the sizes that they see.
_PAGE_SHAPE = (1684, 1191, 3)

_TEXTS = {"text": "text", "table": "<fcel>a<fcel>b<nl>", "display_formula": "$x$", "doc_title": "title"}


def warm_up_detector(detector: LayoutDetector, pages: int = 1) -> None:
    """Lay out blank pages together, so many as a batch has."""
    blank = np.full(_PAGE_SHAPE, 255, np.uint8)
    detector.detect([blank] * pages, [LayoutOptions()] * pages)


def warm_up_assembly() -> None:
    """Take a page of one region of each kind through everything but the models."""
    options = ParseOptions.from_wire({})
    boxes = [
        LayoutBox(LABEL_IDS[label], label, 0.9, (20, top, 180, top + 60), order)
        for order, (label, top) in enumerate(
            zip((*_TEXTS, "image"), range(20, 420, 80), strict=False), start=1
        )
    ]
    regions = build_regions(np.full((500, 200, 3), 255, np.uint8), boxes, options, position=0)
    encode_pictures(regions, options)
    recognitions = {
        request.index: Recognition(_TEXTS.get(request.label, "text"), "stop") for request in regions.requests
    }
    render_page(assemble_page(regions, recognitions, options), options, ImageKeys())
