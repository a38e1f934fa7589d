"""Image files, frame by frame: sizes from their headers, before a pixel is decoded; pixels as PaddleX decodes them."""

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from docparse.documents.png import read_png_head
from docparse.documents.tiff import TILE_LENGTH, TILE_WIDTH, says_one_size
from docparse.errors import EmptyDocument, ImageTooLarge, InvalidDocument, PageFailure
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
_TURNS: "dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]" = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}
_THAT_SWAP = (5, 6, 7, 8)

_END_OF_IMAGE, _START_OF_SCAN = b"\xff\xd9", b"\xff\xda"

# 4,096 pixels square; programs write 128 to 1,024.
_LARGEST_TILE = 4096 * 4096

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
    if kind == "png":
        return [_head_of_png(path, max_pixels).turned_size]
    sizes = []
    with _open(path, kind) as image:
        for index in range(_frame_count(image, kind)):
            _seek(image, index, kind)
            sizes.append(_head_of(image, max_pixels).turned_size)
    return sizes


def ends_early(path: Path) -> bool:
    """Whether a JPEG lacks its end: a scan starts behind the last end marker."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # Of a whole picture only the last bytes are looked at.
        return data.find(_START_OF_SCAN, max(0, data.rfind(_END_OF_IMAGE))) >= 0


def decode_frame(
    path: Path, kind: str, index: int, max_pixels: int, make_room: MakeRoom = own_room
) -> "NDArray[np.uint8]":
    """One frame as HxWx3 uint8 BGR, turned as its EXIF says; it lies in what `make_room` gives for it.

    Decoded as PaddleX does it, for the same pixels: a TIFF of several frames with Pillow, all else with OpenCV, which
    leaves an opacity out and makes grey what is missing of a JPEG. What OpenCV cannot read, Pillow may.

    Raises:
        InvalidDocument: the pixels are truncated or corrupt, or more or less than the header says.
        PageFailure: those of one frame of several are.
    """
    if kind == "png":
        head = _head_of_png(path, max_pixels)
        decoded = _decode_with_opencv(path, kind)
        if decoded is not None:
            return _place(decoded, head, kind, make_room)
        with _open(path, kind) as image:
            return _place_by_pillow(image, head, make_room)
    with _open(path, kind) as image:
        if kind == "tiff" and getattr(image, "is_animated", False):
            return _decode_one_of_several(image, index, max_pixels, make_room)
        head = _head_of(image, max_pixels)
        decoded = None if kind == "gif" else _decode_with_opencv(path, kind)
        if decoded is not None:
            return _place(decoded, head, kind, make_room)
        return _place_by_pillow(image, head, make_room)


def _decode_one_of_several(
    image: Image.Image, index: int, max_pixels: int, make_room: MakeRoom
) -> "NDArray[np.uint8]":
    try:
        _seek(image, index, "tiff")
        return _place_by_pillow(image, _head_of(image, max_pixels), make_room)
    except InvalidDocument as error:
        raise PageFailure(f"Page {index + 1} of the TIFF cannot be decoded.") from error


@dataclass(frozen=True, slots=True)
class _Head:
    """Size of a frame as it lies in the file, and how it must be turned."""

    width: int
    height: int
    orientation: int

    @property
    def turned_size(self) -> PageSize:
        swapped = self.orientation in _THAT_SWAP
        return PageSize(self.height, self.width) if swapped else PageSize(self.width, self.height)


def _check_tiles(image: Image.Image) -> None:
    """A decoder makes room for a whole tile, however small the picture is of which it is one."""
    tags = getattr(image, "tag_v2", {})
    width, length = (tags.get(tag, 0) for tag in (TILE_WIDTH, TILE_LENGTH))
    if not isinstance(width, int) or not isinstance(length, int) or width * length > _LARGEST_TILE:
        raise InvalidDocument("`file` is a TIFF whose tiles are too large.")


def _head_of_png(path: Path, max_pixels: int) -> _Head:
    head = read_png_head(path)
    if head is None:
        raise InvalidDocument("`file` begins like a PNG image but cannot be decoded.")
    check_pixels(head.width, head.height, max_pixels)
    return _Head(head.width, head.height, _orientation(head.exif))


def _head_of(image: Image.Image, max_pixels: int) -> _Head:
    check_pixels(*image.size, max_pixels)
    if image.format == "TIFF":
        _check_tiles(image)
    # Pillow turns a TIFF itself when it loads it, and says its turned size before; OpenCV turns no WebP.
    exif = image.info.get("exif") if image.format in ("JPEG", "MPO") else None
    return _Head(*image.size, _orientation(exif))


def _orientation(exif: bytes | None) -> int:
    """From the EXIF itself: Pillow's own reading takes XMP's word too, which OpenCV does not."""
    if not exif:
        return 1
    block = Image.Exif()
    try:
        block.load(exif)
        orientation = block.get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001  Pillow raises many kinds for EXIF that is damaged; the pixels are sound without it
        return 1
    return orientation if orientation in _TURNS else 1


def _decode_with_opencv(path: Path, kind: str) -> "NDArray[np.uint8] | None":
    """The picture as it lies in the file, but a TIFF turned; None where OpenCV cannot read it."""
    if kind == "tiff" and not says_one_size(path):
        raise InvalidDocument(_TWO_SIZES.format(kind.upper()))
    flags = cv2.IMREAD_COLOR if kind == "tiff" else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        # From the file: from memory, as PaddleX does it, what is missing of a JPEG is whatever lay in memory before.
        decoded: NDArray[np.uint8] | None = cv2.imread(str(path), flags)
    except cv2.error:
        # Wider than it takes any, or of more pixels than it may decode; Pillow goes by the checked size.
        return None
    return decoded


def _place(decoded: "NDArray[np.uint8]", head: _Head, kind: str, make_room: MakeRoom) -> "NDArray[np.uint8]":
    if decoded.shape != (head.height, head.width, 3):
        raise InvalidDocument(_TWO_SIZES.format(kind.upper()))
    size = head.turned_size
    pixels = make_room(size.height, size.width)
    turn = _TURNS.get(head.orientation)
    pixels[:] = decoded if turn is None else turn(decoded)
    return pixels


def _place_by_pillow(image: Image.Image, head: _Head, make_room: MakeRoom) -> "NDArray[np.uint8]":
    try:
        image.load()
        rgb = image if image.mode == "RGB" else image.convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InvalidDocument(f"`file` is a damaged or truncated {image.format} image.") from error
    if rgb.size != (head.width, head.height):
        raise InvalidDocument(_TWO_SIZES.format(image.format))
    if head.orientation != 1:
        return _place(np.asarray(rgb)[:, :, ::-1], head, str(image.format), make_room)
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
        except (UnidentifiedImageError, OSError, SyntaxError, TypeError, ValueError) as error:
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
