"""Decoding of image files, frame by frame, with Pillow and, where its colours are not OpenCV's, with OpenCV."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from docparse.errors import EmptyDocument, ImageTooLarge, InvalidDocument
from docparse.page_memory import MakeRoom, own_room
from docparse.protocol import PageSize

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Ours is checked on every frame's header before a pixel is decoded; Pillow's warns, then raises at twice.
Image.MAX_IMAGE_PIXELS = None

# Small enough for a processor's cache, and for memory that is used again.
_STRIP_ROWS = 64

# Formats, and Pillow's modes of them, whose colours Pillow and OpenCV turn into RGB by other arithmetic.
_UNLIKE_OPENCV = {("JPEG", "CMYK"), ("TIFF", "RGBA"), ("TIFF", "YCbCr"), ("TIFF", "LAB")}

# What undoes each EXIF orientation; those from 5 on swap width and height.
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse an image whose header announces more pixels than may be decoded.

    Raises:
        ImageTooLarge: `width * height` is over `max_pixels`.
        EmptyDocument: it has no pixels.
    """
    if width < 1 or height < 1:
        raise EmptyDocument("`file` is an image without pixels.")
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"`file` is an image of {width} x {height} pixels; at most {max_pixels:,} pixels are accepted."
        )


def inspect_image(path: Path, kind: str, max_pixels: int) -> list[PageSize]:
    """Sizes of the frames that are pages: every frame of a TIFF, the first of anything else.

    Raises:
        InvalidDocument: not a decodable image header.
        ImageTooLarge, EmptyDocument: see `check_pixels`.
    """
    sizes = []
    with _open(path, kind) as image:
        for index in range(_frame_count(image, kind)):
            _seek(image, index, kind)
            check_pixels(*image.size, max_pixels)
            width, height = image.size
            if _orientation(image) >= 5:
                width, height = height, width
            sizes.append(PageSize(width, height))
    return sizes


def decode_frame(
    path: Path, kind: str, index: int, max_pixels: int, make_room: MakeRoom = own_room
) -> "NDArray[np.uint8]":
    """One frame as HxWx3 uint8 BGR, turned as its EXIF says; it lies in what `make_room` gives for it.

    The colours are PaddleX's, which decodes with OpenCV, and a TIFF of several frames with Pillow: an opacity is left
    out, greys of 16 bits keep their high byte, or, in several frames, are cut off at 255.

    Raises:
        InvalidDocument: the pixels are truncated or corrupt.
    """
    with _open(path, kind) as image:
        as_opencv_does = kind != "tiff" or not getattr(image, "is_animated", False)
        _seek(image, index, kind)
        check_pixels(*image.size, max_pixels)
        try:
            turn = _TURNS.get(_orientation(image))
            image.load()
            rgb = _as_opencv_reads(image, path) if as_opencv_does else _to_rgb(image)
        except (OSError, SyntaxError, ValueError, EOFError, cv2.error) as error:
            raise InvalidDocument(f"`file` is a damaged or truncated {kind.upper()} image.") from error
    if turn is not None:
        rgb = rgb.transpose(turn)
    pixels = make_room(rgb.height, rgb.width)
    _copy_bgr(rgb, pixels)
    return pixels


def _copy_bgr(rgb: Image.Image, pixels: "NDArray[np.uint8]") -> None:
    """By Pillow's own writer, a strip at a time: NumPy takes ten times as long to turn channels round."""
    for top in range(0, rgb.height, _STRIP_ROWS):
        strip = rgb.crop((0, top, rgb.width, min(top + _STRIP_ROWS, rgb.height)))
        rows = pixels[top : top + strip.height]
        rows[:] = np.frombuffer(strip.tobytes("raw", "BGR"), np.uint8).reshape(rows.shape)


@contextmanager
def _open(path: Path, kind: str) -> Iterator[Image.Image]:
    # By file, not by path: Pillow maps an uncompressed TIFF that has a path into memory, and then does not turn it.
    with path.open("rb") as file:
        try:
            image = Image.open(file, formats=[kind.upper()])
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise InvalidDocument(
                f"`file` begins like a {kind.upper()} image but cannot be decoded."
            ) from error
        with image:
            yield image


def _frame_count(image: Image.Image, kind: str) -> int:
    return int(getattr(image, "n_frames", 1)) if kind == "tiff" else 1


def _seek(image: Image.Image, index: int, kind: str) -> None:
    try:
        image.seek(index)
    except (EOFError, OSError, SyntaxError, ValueError) as error:
        raise InvalidDocument(f"Frame {index + 1} of the {kind.upper()} `file` is damaged.") from error


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these itself when it loads them, and says their turned size before
    # A PNG may hold its EXIF behind the pixels, and Pillow would decode them all to look there.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001  Pillow raises many kinds for EXIF that is damaged; the pixels are sound without it
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _as_opencv_reads(image: Image.Image, path: Path) -> Image.Image:
    if image.mode.startswith("I"):  # 16 or 32 bits of grey
        grey = np.asarray(image, dtype=np.int64)
        return Image.fromarray((grey.clip(0, 0xFFFF) >> 8).astype(np.uint8)).convert("RGB")
    if (image.format, image.mode) not in _UNLIKE_OPENCV:
        return _to_rgb(image)
    # Pillow has turned a TIFF by now, and OpenCV does; a JPEG is turned by our caller.
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise ValueError("OpenCV cannot decode it")
    return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
