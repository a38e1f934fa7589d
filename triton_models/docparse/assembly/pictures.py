"""Pictures of the answer: JPEG, no larger than needed, and the page with its boxes drawn."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docparse.preprocessing import PreprocessingOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

# Longest sides of a picture in the answer. Source: PaddleX's `max_output_img_size`.
MAX_SIDE_PIXELS = 2000

# What Pillow's encoder takes; the format ends at 65,535.
_LONGEST_JPEG_SIDE = 65_500

# What clients that change pictures may make of them.
_SENT_BACK = ("JPEG", "PNG", "WEBP", "BMP")
# A blank JPEG has 60, one that a client made smaller 170; of a PNG a few bytes could be millions of pixels.
_MOST_PIXELS_PER_BYTE = 200

# Below the three pages of `preprocessed_img`. Source: PaddleX.
_CAPTION_PIXELS = 25

# Colours (BGR) far apart for neighbouring class ids, dark enough for white letters.
_COLOURS: tuple[tuple[int, int, int], ...] = (
    (40, 39, 214), (180, 119, 31), (44, 130, 44), (14, 107, 215), (189, 103, 148), (75, 86, 140),
    (160, 80, 200), (110, 110, 110), (20, 140, 140), (150, 140, 20), (60, 20, 120), (120, 60, 0),
    (0, 90, 60), (140, 20, 140),
)  # fmt: skip


def encode_jpeg(picture: "Picture") -> bytes:
    """JPEG of an HxWx3 uint8 BGR picture, shrunk to 2,000 px a side; byte for byte what PaddleX sends."""
    encoded: NDArray[np.uint8] = cv2.imencode(".jpg", shrink(picture))[1]
    return encoded.tobytes()


def encode_for_word(picture: "Picture") -> bytes:
    """JPEG of an HxWx3 uint8 BGR picture in its full size; byte for byte what PaddleX puts into a Word document.

    A picture with a side that no JPEG can have is shrunk, as in the answer; PaddleX fails on it.
    """
    if max(picture.shape) > _LONGEST_JPEG_SIDE:
        picture = shrink(picture)
    buffer = io.BytesIO()
    Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).save(buffer, "JPEG")
    return buffer.getvalue()


def encode_again_for_word(encoded: bytes) -> bytes:
    """The same of a picture that the service sent before; what cannot have come from it stays as it is.

    The service sends none that is larger, or that has so many pixels for its bytes.
    """
    buffer = io.BytesIO()
    try:
        with Image.open(io.BytesIO(encoded), formats=_SENT_BACK) as picture:
            width, height = picture.size
            if max(width, height) > MAX_SIDE_PIXELS or width * height > _MOST_PIXELS_PER_BYTE * len(encoded):
                return encoded
            shown = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
            shown.save(buffer, "JPEG")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return encoded
    return buffer.getvalue()


def shrink(picture: "Picture") -> "Picture":
    """The picture with no side over the limit, its aspect kept."""
    height, width = picture.shape[:2]
    factor = MAX_SIDE_PIXELS / max(width, height)
    if factor >= 1:
        return picture
    sides = max(1, int(factor * width)), max(1, int(factor * height))
    shrunk: Picture = cv2.resize(picture, sides).astype(np.uint8, copy=False)
    return shrunk


def draw_layout(page: "Picture", boxes: Sequence[dict[str, Any]]) -> "Picture":
    """A copy of the page with each box, its label, score and place in the reading order.

    Drawn with OpenCV's own letters: labels are ASCII, and no font has to be found or fetched.
    """
    drawn = page.copy()
    height, width = drawn.shape[:2]
    line = max(1, round(max(height, width) / 600))
    scale = max(0.35, width / 1800)
    stroke = max(1, round(scale * 1.5))
    for number, box in enumerate(boxes, start=1):
        colour = _COLOURS[box["cls_id"] % len(_COLOURS)]
        x1, y1, x2, y2 = (round(side) for side in box["coordinate"])
        if box.get("polygon_points") is not None:
            outline = np.asarray(box["polygon_points"], dtype=np.int32).reshape(-1, 1, 2)
            cv2.polylines(drawn, [outline], isClosed=True, color=colour, thickness=line)
        else:
            cv2.rectangle(drawn, (x1, y1), (x2, y2), colour, line)
        text = f"{number} {box['label']} {box['score']:.2f}"
        (text_width, text_height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, stroke)
        top = max(0, y1 - text_height - base)
        left = max(0, min(x1, width - text_width))
        cv2.rectangle(drawn, (left, top), (left + text_width, top + text_height + base), colour, cv2.FILLED)
        cv2.putText(
            drawn, text, (left, top + text_height), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), stroke,
            cv2.LINE_AA,
        )  # fmt: skip
    return drawn


def draw_preprocessing(
    original: "Picture", turned: "Picture", flat: "Picture", options: PreprocessingOptions, angle: int
) -> "Picture":
    """The page as it came, turned and flattened, side by side, and below what was done to it."""
    pages = [original, turned, flat]
    height = max(page.shape[0] for page in pages)
    drawn = np.full((height + _CAPTION_PIXELS, sum(page.shape[1] for page in pages), 3), 255, np.uint8)
    captions = [
        "Original Image",
        f"Rotated Image ({options.orientation}, {angle})",
        f"Unwarping Image ({options.unwarping})",
    ]
    left = 0
    for page, caption in zip(pages, captions, strict=True):
        drawn[: page.shape[0], left : left + page.shape[1]] = page
        place = left + 10, height + _CAPTION_PIXELS - 8
        cv2.putText(drawn, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        left += page.shape[1]
    return drawn


def draw_spotting(page: "Picture", polygons: Sequence[Any], texts: Sequence[str]) -> "Picture":
    """The page with its found lines tinted, beside a white page with their texts in the same places.

    Pillow's built-in font knows Latin letters only; others show as boxes.
    """
    height, width = page.shape[:2]
    left = page.copy()
    right = Image.new("RGB", (width, height), "white")
    canvas = ImageDraw.Draw(right)
    for number, (polygon, text) in enumerate(zip(polygons, texts, strict=False)):
        colour = _COLOURS[number % len(_COLOURS)]
        outline = np.asarray(polygon, dtype=np.int32).reshape(-1, 1, 2)
        cv2.fillPoly(left, [outline], colour)
        x, y, _, line_height = cv2.boundingRect(outline)
        font = ImageFont.load_default(size=max(8, min(line_height, 200) * 0.8))
        canvas.text((x, y), text, fill=colour[::-1], font=font)
    tinted = cv2.addWeighted(page, 0.5, left, 0.5, 0)
    written = cv2.cvtColor(np.asarray(right), cv2.COLOR_RGB2BGR)
    return np.hstack([tinted, written]).astype(np.uint8, copy=False)
