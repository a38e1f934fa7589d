"""Pages with boxes for the tests of regions and assembly; no letters, the VLM of these tests reads pixels."""

import numpy as np

from docparse.layout.detector import LayoutBox
from docparse.layout.labels import LABEL_IDS, UNORDERED_LABELS
from tests.docparse.paddlex_oracle import Page


def box(label, *coordinate, score=0.9, polygon=False):
    x1, y1, x2, y2 = coordinate
    return LayoutBox(
        cls_id=LABEL_IDS[label],
        label=label,
        score=score,
        coordinate=coordinate,
        order=None if label in UNORDERED_LABELS else 1,
        polygon_points=[[x1, y1], [x2, y1 + 4], [x2, y2], [x1, y2 - 4]] if polygon else None,
    )


def noise(height=1000, width=800, seed=0):
    """A page on which every crop is different."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def page(*boxes, height=1000, width=800, seed=0):
    return Page(noise(height, width, seed), list(boxes))


def full_page(seed=0, polygon=False):
    """Every label of the model once, beside overlaps, a picture in a table and text that continues."""
    labels = [
        ("header", 10, 5, 400, 30), ("header_image", 420, 5, 500, 40), ("number", 700, 5, 740, 30),
        ("doc_title", 100, 50, 700, 90), ("abstract", 100, 95, 700, 130),
        ("paragraph_title", 100, 135, 390, 160), ("text", 100, 165, 390, 250),
        ("image", 100, 260, 390, 300), ("figure_title", 100, 302, 390, 318),
        ("text", 100, 320, 360, 380), ("text", 410, 135, 700, 200), ("inline_formula", 450, 150, 500, 170),
        ("paragraph_title", 410, 205, 700, 230), ("content", 410, 235, 700, 270),
        ("algorithm", 410, 275, 700, 330), ("chart", 410, 335, 700, 400),
        ("vision_footnote", 410, 402, 700, 420),
        ("table", 100, 430, 700, 560), ("image", 120, 450, 180, 540), ("seal", 300, 450, 360, 540),
        ("display_formula", 100, 570, 600, 610), ("formula_number", 620, 575, 700, 605),
        ("vertical_text", 20, 100, 60, 500), ("aside_text", 750, 100, 790, 500),
        ("seal", 560, 620, 700, 720), ("reference", 100, 730, 700, 900),
        ("reference_content", 100, 735, 700, 800), ("reference_content", 100, 805, 700, 890),
        ("text", 110, 740, 300, 795), ("footnote", 100, 905, 700, 925), ("footer_image", 100, 930, 180, 960),
        ("footer", 200, 930, 700, 960), ("text", 300, 970, 304, 990),
    ]  # fmt: skip
    boxes = [
        box(label, *coordinate, score=0.5 + n / 100, polygon=polygon)
        for n, (label, *coordinate) in enumerate(labels)
    ]
    return Page(noise(seed=seed), boxes)
