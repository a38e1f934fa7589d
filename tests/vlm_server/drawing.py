"""Small pictures with text for the engine to read."""

import base64
import io

from PIL import Image, ImageDraw, ImageFont

SIZE = 26


def font(size=SIZE):
    return ImageFont.load_default(size)


def blank(width, height, colour="white"):
    return Image.new("RGB", (width, height), colour)


def text_image(lines, *, width=640, size=SIZE, pitch=1.4, margin=16):
    step = round(size * pitch)
    picture = blank(width, margin * 2 + step * len(lines))
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        draw.text((margin, margin + index * step), line, font=font(size), fill="black")
    return picture


class TableDrawing:
    """A sheet with columns at `xs` and rows at `ys`, to rule and to write on as a test likes."""

    def __init__(self, xs, ys, *, margin=12):
        self.xs, self.ys = xs, ys
        self.picture = blank(xs[-1] + margin, ys[-1] + margin)
        self._draw = ImageDraw.Draw(self.picture)

    def across(self, row, first=0, last=None, *, width=2):
        y = self.ys[row]
        self._draw.line(
            (self.xs[first], y, self.xs[-1 if last is None else last], y), fill="black", width=width
        )

    def down(self, column, first=0, last=None, *, width=2):
        x = self.xs[column]
        self._draw.line(
            (x, self.ys[first], x, self.ys[-1 if last is None else last]), fill="black", width=width
        )

    def fill(self, row, colour):
        self._draw.rectangle((self.xs[0], self.ys[row], self.xs[-1], self.ys[row + 1]), fill=colour)

    def write(self, row, column, text, *, colour="black", dy=0):
        y = (self.ys[row] + self.ys[row + 1] - SIZE) // 2 - 2 + dy
        self._draw.text((self.xs[column] + 10, y), text, font=font(), fill=colour)

    def write_all(self, rows):
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                if text:
                    self.write(row, column, text)

    def rule_all(self):
        for row in range(len(self.ys)):
            self.across(row)
        for column in range(len(self.xs)):
            self.down(column)


def data_url(picture, kind="PNG"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
