"""What is read of a PNG before a decoder may: its size, and where it says that it lies on its side."""

import struct
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# A picture of 50 MB has some 6,000.
_MOST_CHUNKS = 100_000
# EXIF of a JPEG cannot be larger; more in a PNG is no EXIF.
_LONGEST_EXIF_BYTES = 65_535


@dataclass(frozen=True, slots=True)
class PngHead:
    """Size in pixels, as the file lies, and the EXIF block."""

    width: int
    height: int
    exif: bytes | None


def read_png_head(path: Path) -> PngHead | None:
    """None where it is no PNG.

    Pillow, which could tell as much, refuses pictures for the size of their colour profile or of a text in them, and
    does not see EXIF that comes behind the pixels.
    """
    with path.open("rb") as file:
        head = file.read(33)
        if len(head) < 33 or not head.startswith(_SIGNATURE) or head[8:16] != b"\0\0\0\x0dIHDR":
            return None
        width, height = struct.unpack_from(">II", head, 16)
        exif = None
        for _ in range(_MOST_CHUNKS):
            length, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
            if kind in (b"IEND", b"\0\0\0\0"):
                break
            if kind == b"eXIf" and length <= _LONGEST_EXIF_BYTES:
                exif = file.read(length)
                break
            file.seek(length + 4, 1)
        return PngHead(width, height, exif)
