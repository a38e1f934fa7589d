"""The two-column paper: a made-up study of a garden pond, set in columns that flow over pages."""

import math
from pathlib import Path
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from source.paper_text import AUTHORS, CONTENT, TITLE
from source.sheet import A4_HEIGHT, A4_WIDTH, PdfSurface, Sheet

MARGIN, GUTTER, TOP, BOTTOM = 54.0, 21.0, 74.0, 772.0
COLUMN = (A4_WIDTH - 2 * MARGIN - GUTTER) / 2
SIZE, LEADING = 11.0, 1.28
REFERENCE_SIZE = 9.6


class Paper:
    """Sets blocks one after another: down the left column, down the right, then a new page."""

    def __init__(self, path: Path) -> None:
        self.canvas = Canvas(str(path), pagesize=(A4_WIDTH, A4_HEIGHT), invariant=1)
        self.canvas.setTitle(TITLE)
        self.sheets: list[Sheet] = []
        self._new_page()

    def _new_page(self) -> None:
        if self.sheets:
            self._finish_page()
        self.sheet = Sheet(PdfSurface(self.canvas))
        self.sheets.append(self.sheet)
        number = len(self.sheets)
        running = (
            "Notes on Small Waters, Vol. 4, No. 2" if number % 2 else "J. Arden, M. Okafor and L. Brandt"
        )
        self.sheet.paragraph(
            MARGIN,
            36,
            A4_WIDTH - 2 * MARGIN,
            running,
            label="header",
            font="serif-italic",
            size=9,
            align="center",
        )
        self.column, self.top = 0, TOP
        self.y = TOP
        if number == 1:
            self._masthead()

    def _masthead(self) -> None:
        width = A4_WIDTH - 2 * MARGIN
        y = self.sheet.paragraph(
            MARGIN + 30, 72, width - 60, TITLE, label="doc_title", font="serif-bold", size=19, align="center"
        )
        y = self.sheet.paragraph(
            MARGIN, y + 14, width, AUTHORS[0], label="text", font="serif", size=11.5, align="center"
        )
        y = self.sheet.paragraph(
            MARGIN, y + 7, width, AUTHORS[1], label="text", font="serif-italic", size=9.5, align="center"
        )
        self.top = self.y = y + 24

    def _finish_page(self) -> None:
        number = str(100 + len(self.sheets))
        self.sheet.paragraph(
            MARGIN, 798, A4_WIDTH - 2 * MARGIN, number, label="number", font="serif", size=9.5, align="center"
        )
        self.canvas.showPage()

    @property
    def x(self) -> float:
        return MARGIN + self.column * (COLUMN + GUTTER)

    def _next_column(self) -> None:
        if self.column == 1:
            self._new_page()
        else:
            self.column, self.y = 1, self.top

    def _need(self, height: float) -> None:
        if self.y + height > BOTTOM:
            self._next_column()

    def heading(self, text: str) -> None:
        self._need(60)  # a heading keeps at least two lines of its section with it
        self.y += 0 if self.y == self.top else 6
        self.y = self.sheet.paragraph(
            self.x, self.y, COLUMN, text, label="paragraph_title", font="serif-bold", size=12
        )
        self.y += 6

    def text(self, text: str, label: str = "text") -> None:
        indent = 0.0 if label == "abstract" else 10.0
        remaining = self.sheet.wrap(text, "serif", SIZE, COLUMN, indent)
        while remaining:
            room = int((BOTTOM - self.y) // (SIZE * LEADING))
            if room < 2:
                self._next_column()
                continue
            room -= int(room == len(remaining) - 1)  # no last line alone in the next column
            now, remaining = remaining[:room], remaining[room:]
            self.y = self.sheet.lines(
                self.x,
                self.y,
                now,
                label=label,
                font="serif",
                size=SIZE,
                width=COLUMN,
                leading=LEADING,
                align="justify",
                indent=indent,
                last_is_end=not remaining,
            )
            self.y += 7
            indent = 0

    def formula(self, parts: list[tuple[str, float]], text: str, number: str) -> None:
        """Set a displayed formula; a part is its text and how far it hangs below the line, in points."""
        self._need(30)
        self.y += 3
        sizes = [13.0 if drop == 0 else 9.0 for _, drop in parts]
        fonts = ["serif-italic" if any(c.isalpha() for c in part) else "serif" for part, _ in parts]
        draw = self.sheet.surface
        total = sum(draw.width_of(p, f, s) for (p, _), f, s in zip(parts, fonts, sizes, strict=True))
        start = x = self.x + (COLUMN - total) / 2 - 8
        for (part, drop), font, size in zip(parts, fonts, sizes, strict=True):
            draw.text(x, self.y + 11 + drop, part, font=font, size=size)
            x += draw.width_of(part, font, size)
        self.sheet.record("display_formula", (start, self.y, x, self.y + 17), text=text)
        self.sheet.paragraph(
            self.x,
            self.y + 2.5,
            COLUMN,
            number,
            label="formula_number",
            font="serif",
            size=SIZE,
            align="right",
        )
        self.y += 17 + 10

    def caption(self, text: str) -> None:
        self.y = self.sheet.paragraph(
            self.x, self.y, COLUMN, text, label="figure_title", font="serif", size=9.4
        )

    def table(self, caption: str, columns: list[float], rows: list[list[str]], *, ruled: bool) -> None:
        self._need(50 + 18 * len(rows))
        self.y += 5
        self.caption(caption)
        width = sum(columns)
        self.y = self.sheet.table(
            self.x,
            self.y + 6,
            [c * COLUMN / width for c in columns],
            rows,
            font="serif",
            bold="serif-bold",
            size=10.2,
            row_height=18,
            ruled=ruled,
        )
        self.y += 16

    def figure(self, kind: str, caption: str) -> None:
        height = 150.0
        self._need(height + 50)
        self.y += 4
        box = (self.x, self.y, self.x + COLUMN, self.y + height)
        pond(self.sheet, box) if kind == "image" else levels(self.sheet, box)
        self.sheet.record(kind, box)
        self.y += height + 7
        self.caption(caption)
        self.y += 14

    def references(self, entries: list[str]) -> None:
        """Set the list; all of it in one column counts as one region."""
        start, texts = self.y, []
        for number, entry in enumerate(entries, 1):
            lines = self.sheet.wrap(f"[{number}] {entry}", "serif", REFERENCE_SIZE, COLUMN)
            if self.y + len(lines) * REFERENCE_SIZE * 1.22 > BOTTOM:
                self.sheet.record(
                    "reference", (self.x, start, self.x + COLUMN, self.y - 3), text=" ".join(texts)
                )
                self._next_column()
                start, texts = self.y, []
            self.y = (
                self.sheet.lines(
                    self.x,
                    self.y,
                    lines,
                    label=None,
                    font="serif",
                    size=REFERENCE_SIZE,
                    width=COLUMN,
                    leading=1.22,
                )
                + 3
            )
            texts.append(" ".join(lines))
        self.sheet.record("reference", (self.x, start, self.x + COLUMN, self.y - 3), text=" ".join(texts))

    def save(self) -> list[dict[str, Any]]:
        self._finish_page()
        self.canvas.save()
        return [sheet.truth() for sheet in self.sheets]


def pond(sheet: Sheet, box: tuple[float, ...]) -> None:
    """A section through a pond with its gauge, as the figure of the paper."""
    x1, y1, x2, y2 = box
    draw = sheet.surface
    draw.shape("rectangle", box, "#e8f1f8", "#333333")
    draw.shape("rectangle", (x1, y1 + 78, x2, y2), "#b79a72", "#333333")
    draw.shape("ellipse", (x1 + 22, y1 + 36, x2 - 40, y2 - 12), "#6fa8cf", "#345")
    draw.shape("rectangle", (x1 + 1, y1 + 30, x2 - 1, y1 + 77), "#e8f1f8", None)
    draw.line([(x1, y1 + 78), (x2, y1 + 78)], 1.2, "#4b6b2f")
    draw.shape("rectangle", (x1 + 118, y1 + 30, x1 + 124, y2 - 18), "#f4f4f4", "#222222")
    for tick in range(9):
        y = y1 + 36 + tick * 11
        draw.line([(x1 + 118, y), (x1 + (124 if tick % 2 else 121), y)], 0.8, "#c0392b")
    draw.shape("ellipse", (x1 + 186, y1 + 12, x1 + 212, y1 + 38), "#f5c542", "#a67c00")
    for blade in range(7):
        base = x1 + 16 + blade * 5
        draw.line([(base, y1 + 80), (base + 3 * math.sin(blade), y1 + 48 + 3 * (blade % 3))], 1.1, "#4b7b2f")


def levels(sheet: Sheet, box: tuple[float, ...]) -> None:
    """Two curves of water level over the weeks of the season."""
    x1, y1, x2, y2 = box
    draw = sheet.surface
    left, bottom, right, top = x1 + 30, y2 - 24, x2 - 6, y1 + 6
    draw.shape("rectangle", (left, top, right, bottom), "#ffffff", "#222222")
    for i in range(5):
        y = bottom - i * (bottom - top) / 5
        draw.text(x1 + 12, y + 3, str(40 + 10 * i), font="sans", size=7.5)
        draw.line([(left, y), (right, y)], 0.3, "#bbbbbb")
        draw.text(left + i * (right - left) / 5, bottom + 10, str(4 * i), font="sans", size=7.5)
    draw.text((left + right) / 2 - 18, y2 - 3, "week", font="sans", size=8)
    for shift, color in ((0.0, "#1f77b4"), (0.22, "#d62728")):
        points = []
        for i in range(60):
            saw = (i / 60 * 5) % 1
            value = 0.86 - shift - 0.35 * saw - 0.12 * math.sin(i / 17) + 0.02 * math.sin(i * 1.7)
            points.append((left + i * (right - left) / 59, bottom - value * (bottom - top)))
        draw.line(points, 1.3, color)


def make_paper(path: Path) -> list[dict[str, Any]]:
    """Write the PDF and return the true regions of its pages."""
    paper = Paper(path)
    for kind, arguments in CONTENT:
        getattr(paper, kind)(**arguments)
    return paper.save()
