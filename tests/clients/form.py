"""A page with a paragraph, a table and a formula where the tests' layout model looks for them."""

import io

import pypdfium2
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
SENTENCES = (
    "The quick brown fox jumps over the lazy dog while the band",
    "plays on. Nobody in the village minds the noise, for it is a",
    "fine evening in June and the harvest is already brought in.",
)
CELLS = (("Item", "Count", "Price"), ("Bolt", "12", "3.40"), ("Washer", "250", "1.15"))


def form_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.setFont("Helvetica", 15)
    for line, sentence in enumerate(SENTENCES):
        canvas.drawString(0.12 * WIDTH, (1 - 0.1 - 0.04 * line) * HEIGHT, sentence)
    left, right = 0.12 * WIDTH, 0.88 * WIDTH
    top, height, width = 0.62 * HEIGHT, 0.07 * HEIGHT, (right - left) / 3
    for row in range(4):
        canvas.line(left, top - row * height, right, top - row * height)
        canvas.line(left + row * width, top, left + row * width, top - 3 * height)
    for row, cells in enumerate(CELLS):
        for column, cell in enumerate(cells):
            canvas.drawString(left + column * width + 10, top - row * height - 35, cell)
    canvas.setFont("Helvetica-Oblique", 18)
    canvas.drawCentredString(WIDTH / 2, (1 - 0.78) * HEIGHT, "E = m c")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def form_png() -> bytes:
    """The same page as a picture, 144 dpi."""
    with pypdfium2.PdfDocument(form_pdf()) as pdf:
        image = pdf[0].render(scale=2).to_pil()
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
