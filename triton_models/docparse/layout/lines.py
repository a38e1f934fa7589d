"""Where the lines of text are on a page: PP-OCRv6's text detector, whose weights are in the rapidocr wheel.

Only to place regions; reading is another's work. So the page is made small: on the example pages 640 px find
the same lines as 1280 px, in a quarter of the time.
"""

from dataclasses import dataclass, replace
from math import radians, tan

import cv2
import numpy as np

from docparse.layout.detector import Box, Image
from docparse.layout.ink import Grey, ink_box
from docparse.layout.weights import open_session

LONG_SIDE = 640
LONG_SIDE_LIMIT = 1600  # of an extreme strip, so that its short side stays legible
SHORT_SIDE_LEAST = 64
TEXT_PROBABILITY = 0.3  # DB's own threshold, as in RapidOCR
LINE_PROBABILITY = 0.5
UNCLIP = 1.6  # the network marks the core of a line; DB's ratio gives the full height back
STEEPEST_SKEW_DEGREES = 8.0


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text.

    Attributes:
        box: Upright rectangle round the glyphs in page pixels.
        height: From the top of the highest glyph to the bottom of the lowest, measured across the line.
        score: Mean probability that this is text, 0..1.
    """

    box: Box
    height: float
    score: float


@dataclass(frozen=True, slots=True)
class TextLines:
    """The lines of a page, and its lean: tangent of the angle, positive when lines fall to the right."""

    lines: list[TextLine]
    slope: float


class TextLineNetwork:
    """Finds the lines of text on a page; thread-safe."""

    def __init__(self, intra_op_threads: int) -> None:
        self._session = open_session("rapidocr", "models/PP-OCRv6_det_small.onnx", intra_op_threads)

    def find(self, image: Image) -> TextLines:
        """Return the lines of a page (height x width x 3, BGR, uint8) in no particular order."""
        size = _network_size(image.shape[1], image.shape[0])
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        normal = resized.astype(np.float32) / 127.5 - 1
        probability = self._session.run(None, {"x": normal.transpose(2, 0, 1)[None]})[0][0, 0]
        scale = (image.shape[1] / size[0], image.shape[0] / size[1])
        mask = (probability > TEXT_PROBABILITY).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        lines, slopes = [], []
        for contour in contours:
            found = _line(contour, probability, scale)
            if found is None:
                continue
            lines.append(found[0])
            slopes += [] if found[1] is None else [found[1]]
        slope = float(np.median(slopes)) if slopes else 0.0
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        return TextLines([_exact(line, np.asarray(grey, dtype=np.uint8), slope) for line in lines], slope)


def _network_size(page_width: int, page_height: int) -> tuple[int, int]:
    """Width and height for the network: multiples of 32, with about the proportions of the page."""
    scale = LONG_SIDE / max(page_width, page_height)
    scale = max(scale, SHORT_SIDE_LEAST / min(page_width, page_height))
    scale = min(scale, LONG_SIDE_LIMIT / max(page_width, page_height))
    wide, tall = (max(32, round(side * scale / 32) * 32) for side in (page_width, page_height))
    return wide, tall


def _line(
    contour: cv2.typing.MatLike, probability: cv2.typing.MatLike, scale: tuple[float, float]
) -> tuple[TextLine, float | None] | None:
    """Turn the core of a line into the line, with its slope when it is long enough to tell."""
    (_, (side_a, side_b), angle) = cv2.minAreaRect(contour)
    core_length, core_height = (
        max(side_a, side_b) + 1,
        min(side_a, side_b) + 1,
    )  # from centre to centre of pixels
    if core_height < 2:  # a speck
        return None
    x, y, w, h = cv2.boundingRect(contour)
    inside = np.zeros((h, w), dtype=np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, thickness=-1, offset=(-x, -y))
    score = float(cv2.mean(probability[y : y + h, x : x + w], inside)[0])
    if score < LINE_PROBABILITY:
        return None
    reach = core_length * core_height * UNCLIP / (2 * (core_length + core_height))
    box = (
        max(0.0, x - reach) * scale[0],
        max(0.0, y - reach) * scale[1],
        min(float(probability.shape[1]), x + w + reach) * scale[0],
        min(float(probability.shape[0]), y + h + reach) * scale[1],
    )
    line = TextLine(box, (core_height + 2 * reach) * scale[1], score)
    lean = angle if side_a >= side_b else angle - 90
    lean = (lean + 90) % 180 - 90
    telling = core_length > 12 * core_height and abs(lean) < STEEPEST_SKEW_DEGREES
    # The network sees a page whose proportions may have changed by the rounding to 32.
    return line, tan(radians(lean)) * scale[1] / scale[0] if telling else None


def _exact(line: TextLine, grey: Grey, slope: float) -> TextLine:
    """Set the line's edges by its ink; a line that blank rows do not set apart stays as it is."""
    ink = ink_box(grey, line.box, slope)
    if ink is None or ink[3] - ink[1] < 0.25 * line.height:  # a rule or a dash, not the line
        return line
    rise = abs(slope) * (ink[2] - ink[0])
    box = (ink[0], ink[1] - rise / 2, ink[2], ink[3] + rise / 2)
    return replace(line, box=box, height=ink[3] - ink[1])
