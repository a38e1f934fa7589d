"""Documents of which no two are alike: a VLM's crash on one is never held against another."""

import base64
import io
import itertools
from typing import Any

from PIL import Image
from reportlab.pdfgen.canvas import Canvas

_numbers = itertools.count(1)


def _colour() -> tuple[int, int, int]:
    """Far enough from all others to be told apart in a JPEG."""
    number = next(_numbers)
    return (number * 37) % 251, (number * 59) % 241, (number * 83) % 239


def image() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (600, 800), _colour()).save(buffer, "PNG")
    return buffer.getvalue()


def pdf(pages: int, *, strokes: int = 0) -> bytes:
    """Pages of one colour each; many `strokes` take PDFium seconds."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(300, 400), pageCompression=1)
    for _ in range(pages):
        canvas.setFillColorRGB(*(part / 255 for part in _colour()))
        canvas.rect(0, 0, 300, 400, stroke=0, fill=1)
        path = canvas.beginPath()
        for stroke in range(strokes):
            path.moveTo(stroke % 300, 0)
            path.curveTo(0, stroke % 400, 300, (stroke * 7) % 400, (stroke * 13) % 300, 400)
        canvas.drawPath(path)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def body(document: bytes, **options: Any) -> dict[str, Any]:
    """A request's JSON."""
    return {"file": base64.b64encode(document).decode(), "visualize": False, **options}


def one_call() -> dict[str, Any]:
    """A page that is read in a single call to a VLM."""
    return body(image(), useLayoutDetection=False)
