"""A document of several pages whose colours decide what the scripted model reads on each."""

import io

from reportlab.lib.colors import Color, black
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
PAPERS = {"white": Color(1, 1, 1), "yellow": Color(1, 1, 0.25), "cyan": Color(0.25, 1, 1), "red": Color(1, 0.25, 0.25),
          "magenta": Color(1, 0.25, 1)}  # fmt: skip
MARGIN = 72.0
SENTENCE = "The quick brown fox jumps over the lazy dog while the band plays on and nobody minds at all."


def document(*papers: str) -> bytes:
    """A PDF of one page per paper: a paragraph, a ruled table and a formula standing by itself."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for paper in papers:
        canvas.setFillColor(PAPERS[paper])
        canvas.rect(0, 0, WIDTH, HEIGHT, stroke=0, fill=1)
        canvas.setFillColor(black)
        _draw_paragraph(canvas, top=HEIGHT - 90)
        _draw_table(canvas, top=HEIGHT - 240)
        _draw_formula(canvas, top=HEIGHT - 430)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def picture_page(paper: str, size: tuple[float, float] = (300, 200)) -> bytes:
    """A PDF of one page with nothing but its colour, to be read as a whole."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size)
    canvas.setFillColor(PAPERS[paper])
    canvas.rect(0, 0, *size, stroke=0, fill=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw_paragraph(canvas: Canvas, top: float) -> None:
    canvas.setFont("Times-Roman", 11)
    for line in range(8):
        canvas.drawString(MARGIN, top - 14 * line, SENTENCE)


def _draw_table(canvas: Canvas, top: float) -> None:
    rows, columns, row_height, column_width = 6, 4, 22.0, 112.0
    canvas.setFont("Times-Roman", 11)
    for row in range(rows + 1):
        y = top - row * row_height
        canvas.line(MARGIN, y, MARGIN + columns * column_width, y)
    for column in range(columns + 1):
        x = MARGIN + column * column_width
        canvas.line(x, top, x, top - rows * row_height)
    for row in range(rows):
        for column in range(columns):
            text = f"Column {column + 1}" if row == 0 else f"{row}.{column * 7 + 12}"
            canvas.drawString(MARGIN + column * column_width + 8, top - row * row_height - 15, text)


def _draw_formula(canvas: Canvas, top: float) -> None:
    canvas.setFont("Times-Roman", 11)
    for line in range(3):
        canvas.drawString(MARGIN, top - 14 * line, SENTENCE)
    canvas.setFont("Times-Italic", 15)
    canvas.drawCentredString(WIDTH / 2, top - 75, "E = m c² + S f (x) dx")
    canvas.setFont("Times-Roman", 12)
    canvas.drawRightString(WIDTH - MARGIN, top - 75, "(1)")
    canvas.setFont("Times-Roman", 11)
    for line in range(3):
        canvas.drawString(MARGIN, top - 110 - 14 * line, SENTENCE)
