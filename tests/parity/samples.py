"""Documents as bytes, with the regions that the layout model is made to find on their pages."""

import base64
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docparse.layout.detector import LayoutBox
from tests.docparse.pages import box, full_page

WIDTH, HEIGHT = 800, 1000
PDF, IMAGE = 0, 1
Regions = list[LayoutBox]


@dataclass(frozen=True)
class Sample:
    data: bytes
    file_type: int
    pages: list[Regions]

    def body(self, **options: Any) -> dict[str, Any]:
        """A request as a client sends it."""
        file = base64.b64encode(self.data).decode()
        return {"file": file, "fileType": self.file_type, "logId": "parity", **options}


def texture(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Coarse noise: every crop of it is different, and it is encoded quickly."""
    cells = np.random.default_rng(seed).integers(0, 255, (height // 4, width // 4, 3), np.uint8)
    return Image.fromarray(cells.repeat(4, axis=0).repeat(4, axis=1))


def image_sample(*regions: LayoutBox, width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> Sample:
    buffer = io.BytesIO()
    texture(seed, width, height).save(buffer, "PNG", compress_level=1)
    return Sample(buffer.getvalue(), IMAGE, [list(regions)])


def pdf_sample(*pages: Regions) -> Sample:
    """Pages of 400 x 500 points with a picture, text in a font, and a field of a form."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH / 2, HEIGHT / 2), invariant=True)
    for number, _ in enumerate(pages):
        canvas.drawImage(ImageReader(texture(number, 200, 240)), 40, 30, 320, 440)
        canvas.drawString(20, 10, f"Page {number + 1}")
        canvas.acroForm.textfield("filled in", name=f"field {number}", x=20, y=480, width=100, height=16)
        canvas.showPage()
    canvas.save()
    return Sample(buffer.getvalue(), PDF, list(pages))


def tiff_sample(*pages: Regions) -> Sample:
    buffer = io.BytesIO()
    frames = [texture(number) for number, _ in enumerate(pages)]
    frames[0].save(buffer, "TIFF", save_all=True, compression="tiff_adobe_deflate", append_images=frames[1:])
    return Sample(buffer.getvalue(), IMAGE, list(pages))


@cache
def every_label() -> Sample:
    """Each of the model's 25 classes, overlaps, a picture in a table, text that continues in the next column."""
    return image_sample(*full_page().boxes)


@cache
def every_label_outlined() -> Sample:
    """The same with the outlines that newer layout models give."""
    return image_sample(*full_page(polygon=True).boxes)


@cache
def book() -> Sample:
    """A PDF whose table runs on over three pages, with titles of several levels and figures."""
    return pdf_sample(
        [
            box("doc_title", 100, 20, 700, 80),
            box("paragraph_title", 100, 90, 500, 130),
            box("text", 100, 140, 700, 190),
            box("paragraph_title", 100, 200, 500, 222),
            box("display_formula", 100, 240, 500, 290),
            box("formula_number", 600, 240, 700, 290),
            box("image", 100, 300, 400, 480),
            box("table", 100, 500, 700, 930),
            box("footer", 100, 950, 700, 980),
        ],
        [
            box("header", 100, 10, 700, 30),
            box("table", 102, 40, 702, 930),
            box("number", 400, 960, 440, 980),
        ],
        [
            box("header", 100, 10, 700, 31),
            box("table", 101, 40, 701, 300),
            box("paragraph_title", 100, 310, 500, 350),
            box("paragraph_title", 100, 400, 500, 418),
            box("image", 100, 450, 700, 800),
            box("figure_title", 100, 805, 700, 830),
            box("footnote", 100, 900, 700, 930),
        ],
    )


@cache
def frames() -> Sample:
    """A TIFF of charts and seals, then text and what stands beside it, then nothing."""
    return tiff_sample(
        [
            box("chart", 50, 50, 400, 400),
            box("figure_title", 50, 405, 400, 430),
            box("seal", 450, 50, 700, 300),
            box("header_image", 20, 10, 100, 40),
            box("vertical_text", 720, 50, 780, 500),
        ],
        [
            box("text", 100, 100, 380, 480),
            box("text", 420, 100, 700, 480),
            box("aside_text", 10, 100, 60, 500),
            box("reference", 100, 500, 700, 900),
            box("reference_content", 100, 510, 700, 600),
            box("reference_content", 100, 610, 700, 700),
        ],
        [],
    )


@cache
def figures_in_tables() -> Sample:
    """Tables that show figures: several, too small a one, a seal, one at the edge, one outside."""
    return image_sample(
        box("table", 50, 50, 750, 400),
        *(box("image", 60 + shift, 60, 140 + shift, 140) for shift in range(0, 400, 100)),
        box("image", 500, 60, 520, 80),
        box("seal", 550, 60, 640, 150),
        box("image", 700, 300, 790, 390),
        box("table", 50, 450, 750, 700),
        box("seal", 100, 500, 200, 600),
        box("image", 50, 750, 400, 900),
    )


SAMPLES = {
    "every label": every_label,
    "every label, outlined": every_label_outlined,
    "PDF": book,
    "TIFF": frames,
    "figures in tables": figures_in_tables,
}
