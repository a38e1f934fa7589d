"""Documents made on the spot: small, odd or broken."""

import io
import struct
import zlib

import numpy as np
import pypdf
from PIL import Image
from reportlab.pdfgen.canvas import Canvas


def pdf_bytes(pages: int, size: tuple[float, float] = (200, 100)) -> bytes:
    return pdf_of_sizes(*[size] * pages)


def pdf_of_sizes(*sizes: tuple[float, float]) -> bytes:
    """Pages of these sizes in points."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for number, size in enumerate(sizes):
        # The grey of a page tells which page it is.
        canvas.setPageSize(size)
        canvas.setFillGray(number / max(len(sizes), 2))
        canvas.rect(0, 0, *size, stroke=0, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf_with_a_broken_page(pages: int, broken: int) -> bytes:
    """A sound PDF but for one page (from 0), which is no page at all."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes(pages)))
    writer.root_object["/Pages"]["/Kids"][broken] = pypdf.generic.NullObject()
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes(1)))
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def pdf_without_pages() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 1 0 R/Size 3>>\n%%EOF"
    )


def image_bytes(
    kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", colour: object = None
) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind.upper())
    return buffer.getvalue()


def noise_png(side: int = 64) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that announces any size and holds no pixels: a decompression bomb, seen from outside."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
