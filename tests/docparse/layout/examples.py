"""The example pages as the pipeline sees them, with what is truly on them."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pypdfium2

from docparse.layout.detector import Box, Image, LayoutBox

ROOT = Path(__file__).parents[3]
NAMES = ("paper-1", "paper-2", "paper-3", "invoice", "chinese", "scan")


@dataclass(frozen=True)
class Region:
    label: str
    box: Box
    has_text: bool


@dataclass(frozen=True)
class Page:
    image: Image
    regions: list[Region]


@cache
def load_page(name: str) -> Page:
    """One example page; a page of the paper is named by its number."""
    document, _, number = name.partition("-")
    index = int(number or 1) - 1
    path = next((ROOT / "examples").glob(f"{document}.*"))
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pdf:
            image = pdf[index].render(scale=2.0, rev_byteorder=False).to_numpy()[:, :, :3].copy()
    else:
        image = cv2.imread(str(path))
    truth = json.loads((ROOT / "tests/data/examples" / f"{document}.json").read_text())["pages"][index]
    assert image.shape == (truth["height"], truth["width"], 3)
    regions = [
        Region(region["label"], tuple(region["box"]), "text" in region or "rows" in region)
        for region in truth["regions"]
    ]
    return Page(image, regions)


def label_of(label: str) -> str:
    """A list of references is one region, whether it is called the list or its content."""
    return "reference" if label == "reference_content" else label


def covered_ink(box: Box, found: list[LayoutBox], image: Image) -> float:
    """Share of the dark pixels of a true box that lie in some found region."""
    covered = np.zeros(image.shape[:2], dtype=bool)
    for region in found:
        x1, y1, x2, y2 = (int(v) for v in region.coordinate)  # as the crops are cut
        covered[y1:y2, x1:x2] = True
    x1, y1, x2, y2 = (round(v) for v in box)
    ink = image[y1:y2, x1:x2].min(axis=2) < 128
    return float(covered[y1:y2, x1:x2][ink].mean())
