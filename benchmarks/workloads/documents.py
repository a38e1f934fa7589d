"""PDFs and page images with real text and graphics, cheap to render, no two pages of quite the same size."""

import io
import random

import numpy as np
import pypdfium2
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

# A4 in points, plus up to so many: the simulated layout goes by a page's size, so pages get layouts of their own.
_A4 = (595, 842)
_SPREAD_POINTS = 40

_LINE_POINTS = 11
_MARGIN_POINTS = 48
_FONT = "Helvetica"
_SHAPES = 3  # rules and boxes on a page, beside its text

# Pixels per point. As the services render PDFs, so that a scanned page is as much work as a page of a PDF.
_SCAN_SCALE = 2.0
_JPEG_QUALITY = 85


def make_pdf(pages: int, seed: int, *, ballast_bytes: int = 0) -> bytes:
    """A PDF of so many pages.

    Args:
        pages: how many.
        seed: the same gives the same bytes.
        ballast_bytes: size of a stream in the file that nothing refers to, to make it large.
    """
    chance = random.Random(seed)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for number in range(pages):
        size = tuple(side + chance.randint(0, _SPREAD_POINTS) for side in _A4)
        canvas.setPageSize(size)
        _draw_page(canvas, chance, size, number)
        canvas.showPage()
    canvas.save()
    data = buffer.getvalue()
    return _with_ballast(data, ballast_bytes, seed) if ballast_bytes else data


def make_scan(seed: int) -> bytes:
    """One page as the JPEG of a scan at 144 dpi, about half a megabyte."""
    document = pypdfium2.PdfDocument(make_pdf(1, seed))
    picture = document[0].render(scale=_SCAN_SCALE).to_pil().convert("RGB")
    document.close()
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def make_small_image(seed: int) -> bytes:
    """A snippet of a few lines, some kilobytes as PNG."""
    document = pypdfium2.PdfDocument(make_pdf(1, seed))
    page = document[0]
    picture = page.render(scale=1.0, crop=(0, page.get_height() - 300, 0, 0)).to_pil().convert("L")
    document.close()
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def make_noise_image(size_bytes: int, seed: int) -> bytes:
    """A PNG of about so many bytes, of pixels that do not compress."""
    side = max(8, int((size_bytes / 3) ** 0.5))
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def _draw_page(canvas: Canvas, chance: random.Random, size: tuple[float, ...], number: int) -> None:
    width, height = size
    canvas.setFont(_FONT, 9)
    for _ in range(_SHAPES):
        canvas.setStrokeGray(chance.uniform(0.2, 0.8))
        x, y = chance.uniform(0, width / 2), chance.uniform(0, height / 2)
        canvas.rect(x, y, chance.uniform(20, width / 2), chance.uniform(20, 120), fill=0)
    place = height - _MARGIN_POINTS
    while place > _MARGIN_POINTS:
        words = ["".join(chance.choices("aeinorstldmcu", k=chance.randint(2, 9))) for _ in range(15)]
        canvas.drawString(_MARGIN_POINTS, place, " ".join(words)[:95])
        place -= _LINE_POINTS * chance.choice((1, 1, 1, 1, 2))
    canvas.drawCentredString(width / 2, 24, str(number + 1))


def _with_ballast(data: bytes, size: int, seed: int) -> bytes:
    """The file with a comment of noise before its end; readers find the page table from the end."""
    noise = np.random.default_rng(seed).bytes(size).replace(b"\n", b" ").replace(b"\r", b" ")
    table = data.rindex(b"startxref")
    return data[:table] + b"%" + noise + b"\n" + data[table:]
