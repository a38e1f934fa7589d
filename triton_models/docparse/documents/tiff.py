"""What is read of a TIFF before a decoder may."""

import struct
from pathlib import Path

_WIDTH, _LENGTH = 256, 257
TILE_WIDTH, TILE_LENGTH = 322, 323


def says_one_size(path: Path) -> bool:
    """Whether the first frame's directory names its width once and its length once, and those of a tile at most once.

    Decoders take the first or the last of several, so a size that was checked might not be the one that is decoded.
    A directory that cannot be read says nothing.
    """
    with path.open("rb") as file:
        order = {b"II": "<", b"MM": ">"}.get(file.read(2))
        if order is None:
            return False

        def read(form: str) -> int:
            (value,) = struct.unpack(order + form, file.read(struct.calcsize(order + form)))
            return int(value)

        try:
            big = read("H") == 43
            if big:
                file.seek(8)
            file.seek(read("Q" if big else "I"))
            count, entry_bytes = read("Q" if big else "H"), 20 if big else 12
            if count > 65_535:
                return False
            entries = file.read(count * entry_bytes)
            tags = [
                struct.unpack_from(order + "H", entries, at)[0]
                for at in range(0, count * entry_bytes, entry_bytes)
            ]
        except (struct.error, OSError, ValueError):
            return False
    return (
        tags.count(_WIDTH) == tags.count(_LENGTH) == 1
        and max(map(tags.count, (TILE_WIDTH, TILE_LENGTH))) <= 1
    )
