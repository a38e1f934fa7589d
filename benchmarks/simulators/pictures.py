"""What a VLM's processor needs to know of a picture: its size, from the first bytes of a `data:` URL."""

import math
import struct
from base64 import b64decode

# Side of a merged patch of the model, and the limits of PaddleX's defaults: one visual token is one such patch.
PATCH_PIXELS = 28
MIN_PIXELS = 112_896
MAX_PIXELS = 1_003_520

# vLLM answers 400 above this.
MAX_ASPECT_RATIO = 200

_HEAD_CHARACTERS = 4096
_SIZED_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3})


class BadPicture(Exception):
    """Not a JPEG or PNG in base64, or of a shape that the model cannot see."""


def picture_size(url: str) -> tuple[int, int]:
    """Width and height of the JPEG or PNG in a `data:` URL; the pixels are not decoded."""
    start = url.find(";base64,", 0, 64) + len(";base64,")
    if not url.startswith("data:image/") or start < len(";base64,"):
        raise BadPicture("the picture is no data: URL with base64")
    try:
        head = b64decode(url[start : start + _HEAD_CHARACTERS])
        width, height = _png_size(head) if head.startswith(b"\x89PNG") else _jpeg_size(head)
    except (ValueError, struct.error, IndexError) as error:
        raise BadPicture("the picture is neither JPEG nor PNG") from error
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise BadPicture(f"absolute aspect ratio must be smaller than {MAX_ASPECT_RATIO}")
    return width, height


def _png_size(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _jpeg_size(head: bytes) -> tuple[int, int]:
    if head[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    place = 2
    while head[place] == 0xFF:
        marker, length = head[place + 1], struct.unpack_from(">H", head, place + 2)[0]
        if marker in _SIZED_FRAMES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return width, height
        place += 2 + length
    raise ValueError("no frame")


def fit_patches(
    width: int, height: int, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
) -> tuple[int, int]:
    """Rows and columns of visual tokens: the picture scaled to whole patches within the limits, its aspect kept.

    The formula of Qwen2-VL's `smart_resize`, which PaddleOCR-VL's processor uses. A picture that was scaled by it
    before stays as it is, so it does not matter on which side of the wire that happens.
    """
    rows, columns = (max(1, round(side / PATCH_PIXELS)) for side in (height, width))
    patch = PATCH_PIXELS * PATCH_PIXELS
    if rows * columns * patch > max_pixels:
        scale = math.sqrt(height * width / max_pixels)
        rows, columns = (max(1, math.floor(side / scale / PATCH_PIXELS)) for side in (height, width))
    elif rows * columns * patch < min_pixels:
        scale = math.sqrt(min_pixels / (height * width))
        rows, columns = (math.ceil(side * scale / PATCH_PIXELS) for side in (height, width))
    return rows, columns
