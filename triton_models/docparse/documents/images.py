"""Image files, frame by frame: sizes by Pillow, from their headers; pixels by OpenCV and Pillow, as in PaddleX."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from docparse.documents.tiff import says_one_size
from docparse.errors import EmptyDocument, ImageTooLarge, InvalidDocument
from docparse.page_memory import MakeRoom, own_room
from docparse.protocol import PageSize

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Ours is checked on every frame's header before a pixel is decoded; Pillow's warns, then raises at twice.
Image.MAX_IMAGE_PIXELS = None

# Small enough for a processor's cache, and for memory that is used again.
_STRIP_ROWS = 64

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
_FIRST_THAT_SWAPS = 5

_TWO_SIZES = "`file` is a damaged {} image: it says that it has two sizes."


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
            if _orientation(image) >= _FIRST_THAT_SWAPS:
                width, height = height, width
            sizes.append(PageSize(width, height))
    return sizes


def decode_frame(
    path: Path, kind: str, index: int, max_pixels: int, make_room: MakeRoom = own_room
) -> "NDArray[np.uint8]":
    """One frame as HxWx3 uint8 BGR, turned as its EXIF says; it lies in what `make_room` gives for it.

    Decoded as PaddleX does it, for the same pixels: a TIFF of several frames with Pillow, all else with OpenCV, which
    leaves an opacity out and makes grey what is missing of a JPEG. What OpenCV cannot read, Pillow may.

    Raises:
        InvalidDocument: the pixels are truncated or corrupt, or more or less than the header says.
    """
    with _open(path, kind) as image:
        _seek(image, index, kind)
        check_pixels(*image.size, max_pixels)
        orientation = _orientation(image)
        width, height = image.size[:: -1 if orientation >= _FIRST_THAT_SWAPS else 1]
        decoded = _decode_with_opencv(path, kind, image)
        if decoded is None:
            rgb = _decode_with_pillow(image, _TURNS.get(orientation))
            pixels = make_room(height, width)
            _copy_bgr(rgb, pixels)
            return pixels
    if decoded.shape != (height, width, 3):
        raise InvalidDocument(_TWO_SIZES.format(kind.upper()))
    pixels = make_room(height, width)
    pixels[:] = decoded
    return pixels


def _decode_with_opencv(path: Path, kind: str, image: Image.Image) -> "NDArray[np.uint8] | None":
    """The picture, turned; None where it is Pillow's to decode."""
    if kind == "gif" or (kind == "tiff" and getattr(image, "is_animated", False)):
        return None
    if kind == "tiff" and not says_one_size(path):
        raise InvalidDocument(_TWO_SIZES.format(kind.upper()))
    # From the file: from memory, as PaddleX does it, what is missing of a JPEG is whatever lay in memory before.
    try:
        decoded: NDArray[np.uint8] | None = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error as error:  # it sees more pixels than it may decode, though Pillow did not
        raise InvalidDocument(_TWO_SIZES.format(kind.upper())) from error
    return decoded


def _decode_with_pillow(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    try:
        image.load()
        rgb = image if image.mode == "RGB" else image.convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InvalidDocument(f"`file` is a damaged or truncated {image.format} image.") from error
    return rgb if turn is None else rgb.transpose(turn)


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
    if image.format == "WEBP":
        return 1  # PaddleX's OpenCV does not turn these
    # A PNG may hold its EXIF behind the pixels, and Pillow would decode them all to look there.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001  Pillow raises many kinds for EXIF that is damaged; the pixels are sound without it
        return 1
    return orientation if isinstance(orientation, int) else 1
