"""A sheet of paper in points, drawn into a PDF or a picture, that remembers what was put where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

A4_WIDTH, A4_HEIGHT = 595.0, 842.0  # points; whole numbers, so that a page at scale 2.0 is 1190x1684 px
LIBERATION = Path("/usr/share/fonts/truetype/liberation")
NOTO_CJK = Path("/usr/share/fonts/opentype/noto")
FONTS = {
    "serif": LIBERATION / "LiberationSerif-Regular.ttf",
    "serif-bold": LIBERATION / "LiberationSerif-Bold.ttf",
    "serif-italic": LIBERATION / "LiberationSerif-Italic.ttf",
    "sans": LIBERATION / "LiberationSans-Regular.ttf",
    "sans-bold": LIBERATION / "LiberationSans-Bold.ttf",
    "song": NOTO_CJK / "NotoSerifCJK-Regular.ttc",  # face 2 of these collections is Simplified Chinese
    "hei": NOTO_CJK / "NotoSansCJK-Bold.ttc",
}
ASCENT, DESCENT = 0.74, 0.24  # of the size: a line's box without its leading, for the Latin faces
INK = "#111111"
CHINESE_ASCENT, CHINESE_DESCENT = 0.88, 0.12  # the em square of Noto CJK
NO_LINE_START = "，。、；：！？）》”"  # noqa: RUF001  (Chinese punctuation hangs on the line before)


def edges_of(font: str) -> tuple[float, float]:
    """How far a line reaches above and below its baseline, in ems."""
    return (CHINESE_ASCENT, CHINESE_DESCENT) if font in {"song", "hei"} else (ASCENT, DESCENT)


class Surface(Protocol):
    """Where the ink goes. Every length is in points from the top left corner."""

    scale: float  # pixels per point of the picture that the pipeline will see
    size_px: tuple[int, int]

    def width_of(self, text: str, font: str, size: float) -> float: ...
    def text(
        self, x: float, baseline: float, text: str, *, font: str, size: float, color: str = INK
    ) -> None: ...
    def line(self, points: list[tuple[float, float]], width: float, color: str) -> None: ...
    def shape(self, kind: str, box: tuple[float, ...], fill: str | None, outline: str | None) -> None: ...


class PdfSurface:
    """A page of a reportlab canvas; vector text in embedded font subsets."""

    scale = 2.0
    size_px = (1190, 1684)

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        for name, path in FONTS.items():
            if path.suffix == ".ttf" and name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, path))

    def width_of(self, text: str, font: str, size: float) -> float:
        return pdfmetrics.stringWidth(text, font, size)

    def text(self, x: float, baseline: float, text: str, *, font: str, size: float, color: str = INK) -> None:
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(color)
        self.canvas.drawString(x, A4_HEIGHT - baseline, text)

    def line(self, points: list[tuple[float, float]], width: float, color: str) -> None:
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeColor(color)
        path = self.canvas.beginPath()
        path.moveTo(points[0][0], A4_HEIGHT - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, A4_HEIGHT - y)
        self.canvas.drawPath(path)

    def shape(self, kind: str, box: tuple[float, ...], fill: str | None, outline: str | None) -> None:
        x1, y1, x2, y2 = box
        self.canvas.setLineWidth(0.8)
        self.canvas.setFillColor(fill or "#ffffff")
        self.canvas.setStrokeColor(outline or fill or "#ffffff")
        draw = {"fill": int(fill is not None), "stroke": int(outline is not None)}
        if kind == "ellipse":
            self.canvas.ellipse(x1, A4_HEIGHT - y2, x2, A4_HEIGHT - y1, **draw)
        else:
            self.canvas.rect(x1, A4_HEIGHT - y2, x2 - x1, y2 - y1, **draw)


class PictureSurface:
    """An RGB picture of an A4 page at 200 dots per inch."""

    scale = 200 / 72
    size_px = (1654, 2339)

    def __init__(self) -> None:
        self.image = Image.new("RGB", self.size_px, "white")
        self._draw = ImageDraw.Draw(self.image)
        self._fonts: dict[tuple[str, float], ImageFont.FreeTypeFont] = {}

    def _font(self, font: str, size: float) -> ImageFont.FreeTypeFont:
        if (font, size) not in self._fonts:
            face = 2 if FONTS[font].suffix == ".ttc" else 0
            self._fonts[font, size] = ImageFont.truetype(FONTS[font], round(size * self.scale), index=face)
        return self._fonts[font, size]

    def width_of(self, text: str, font: str, size: float) -> float:
        return self._font(font, size).getlength(text) / self.scale

    def text(self, x: float, baseline: float, text: str, *, font: str, size: float, color: str = INK) -> None:
        position = (x * self.scale, baseline * self.scale)
        self._draw.text(position, text, font=self._font(font, size), fill=color, anchor="ls")

    def line(self, points: list[tuple[float, float]], width: float, color: str) -> None:
        scaled = [(round(x * self.scale), round(y * self.scale)) for x, y in points]
        self._draw.line(scaled, fill=color, width=max(1, round(width * self.scale)), joint="curve")

    def shape(self, kind: str, box: tuple[float, ...], fill: str | None, outline: str | None) -> None:
        scaled = tuple(round(v * self.scale) for v in box)
        draw = self._draw.ellipse if kind == "ellipse" else self._draw.rectangle
        draw(scaled, fill=fill, outline=outline, width=2)


@dataclass
class Sheet:
    """One page: draws paragraphs and tables and keeps the true regions in reading order."""

    surface: Surface
    regions: list[dict[str, Any]] = field(default_factory=list)

    def record(self, label: str, box: tuple[float, ...], **content: Any) -> None:
        """Add a true region; `box` in points becomes pixels."""
        pixels = [round(v * self.surface.scale, 1) for v in box]
        self.regions.append({"label": label, "box": pixels, **content, "order": len(self.regions)})

    def wrap(self, text: str, font: str, size: float, width: float, indent: float = 0) -> list[str]:
        """Break text into lines no wider than `width`; Chinese breaks between any two characters."""
        chinese = font in {"song", "hei"}
        lines, line = [], ""
        for token in text if chinese else text.split():
            joined = line + token if chinese or not line else f"{line} {token}"
            room = width - (0 if lines else indent)
            if line and self.surface.width_of(joined, font, size) > room and token not in NO_LINE_START:
                lines.append(line)
                line = token
            else:
                line = joined
        return [*lines, line]

    def lines(
        self,
        x: float,
        top: float,
        lines: list[str],
        *,
        label: str | None,
        font: str,
        size: float,
        width: float,
        leading: float = 1.25,
        align: str = "left",
        indent: float = 0,
        last_is_end: bool = True,
    ) -> float:
        """Draw lines from `top` down, record them as one region, and return its lower edge."""
        left, right = x + width, x
        ascent, descent = edges_of(font)
        for number, line in enumerate(lines):
            natural = self.surface.width_of(line, font, size)
            start = x + (indent if number == 0 else 0)
            room = width - (start - x)
            baseline = top + number * size * leading + size * ascent
            start += {"center": (room - natural) / 2, "right": room - natural}.get(align, 0)
            stretch = align == "justify" and not (last_is_end and number == len(lines) - 1)
            end = (
                self._justified(start, baseline, line, room, font=font, size=size)
                if stretch
                else start + natural
            )
            if not stretch:
                self.surface.text(start, baseline, line, font=font, size=size)
            left, right = min(left, start), max(right, end)
        bottom = top + (len(lines) - 1) * size * leading + size * (ascent + descent)
        if label:
            joiner = "" if font in {"song", "hei"} else " "
            self.record(label, (left, top, right, bottom), text=joiner.join(lines))
        return bottom

    def _justified(
        self, x: float, baseline: float, line: str, room: float, *, font: str, size: float
    ) -> float:
        words = line.split(" ")
        widths = [self.surface.width_of(word, font, size) for word in words]
        gap = (room - sum(widths)) / max(1, len(words) - 1)
        for word, width in zip(words, widths, strict=True):
            self.surface.text(x, baseline, word, font=font, size=size)
            x += width + gap
        return x - gap

    def paragraph(self, x: float, top: float, width: float, text: str, **style: Any) -> float:
        """Wrap and draw one paragraph; the arguments of `lines` apply."""
        broken = self.wrap(text, style["font"], style["size"], width, style.get("indent", 0))
        return self.lines(x, top, broken, width=width, **style)

    def table(
        self,
        x: float,
        top: float,
        columns: list[float],
        rows: list[list[str]],
        *,
        font: str,
        bold: str,
        size: float,
        row_height: float,
        ruled: bool,
        right_aligned: set[int] = frozenset(),
        label: str | None = "table",
    ) -> float:
        """Draw a table, fully ruled or with the three rules of a printed paper; the first row is its head."""
        right, bottom = x + sum(columns), top + row_height * len(rows)
        edges = [x + sum(columns[:i]) for i in range(len(columns) + 1)]
        for r, row in enumerate(rows):
            face = bold if r == 0 else font
            ascent, descent = edges_of(face)
            baseline = top + r * row_height + (row_height + size * (ascent - descent)) / 2
            for c, cell in enumerate(row):
                room = columns[c] - 8 - self.surface.width_of(cell, face, size)
                start = edges[c] + 4 + (room if c in right_aligned else 0)
                self.surface.text(start, baseline, cell, font=face, size=size)
        horizontal = range(len(rows) + 1) if ruled else (0, 1, len(rows))
        for r in horizontal:
            y = top + r * row_height
            self.surface.line([(x, y), (right, y)], 0.7 if ruled or r == 1 else 1.1, INK)
        for edge in edges if ruled else ():
            self.surface.line([(edge, top), (edge, bottom)], 0.7, INK)
        if label:
            self.record(label, (x, top, right, bottom), rows=rows)
        return bottom

    def truth(self) -> dict[str, Any]:
        width, height = self.surface.size_px
        return {"width": width, "height": height, "regions": self.regions}
