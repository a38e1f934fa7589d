"""A picture whose header says two sizes is not decoded in the one that was not checked."""

import io
import os
import struct

import numpy as np
import psutil
import pytest
from PIL import Image

from docparse.documents import RenderPool, images
from docparse.documents.images import decode_frame, inspect_image
from docparse.documents.tiff import TILE_LENGTH, TILE_WIDTH, says_one_size
from docparse.documents.worker import RenderTask
from docparse.errors import InvalidDocument

OPENCV_LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"
SMALL, LARGE = 10, 400
LONG, SIGNED_LONG_8 = 4, 17  # Pillow does not know the second


def tiff(*sizes: tuple[int, int], order: str = "<", tile: int = 0) -> bytes:
    """Grey, uncompressed; its directory names width and length once for each (type of field, value)."""
    entries = [(tag, kind, size) for tag in (256, 257) for kind, size in sizes]
    tiles = [(tag, LONG, tile) for tag in (TILE_WIDTH, TILE_LENGTH)] if tile else []
    entries += [
        (258, LONG, 8),
        (259, LONG, 1),
        (262, LONG, 1),
        (273, LONG, 8),
        (278, LONG, LARGE),
        (279, LONG, LARGE * LARGE),
        *tiles,
    ]
    pixels = bytes(LARGE * LARGE)
    directory = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        place = "I" if kind == LONG else "i"
        directory += struct.pack(order + "HHI" + place, tag, kind, 1, value)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(pixels))
    return head + pixels + directory + bytes(4)


@pytest.mark.parametrize("behind_the_pixels", [False, True])
def test_a_picture_that_only_pillow_decodes_is_turned_as_was_said(tmp_path, behind_the_pixels):
    """A PNG without its end; of OpenCV's failures one that people have."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (60, 20), "red").save(buffer, "PNG", exif=exif)
    data = buffer.getvalue()
    if behind_the_pixels:
        start = data.index(b"eXIf") - 4
        chunk = data[start : start + 12 + int.from_bytes(data[start : start + 4], "big")]
        data = data.replace(chunk, b"").replace(b"\0\0\0\0IEND", chunk + b"\0\0\0\0IEND")
    path = tmp_path / "endless.png"
    path.write_bytes(data[:-6])
    assert images._decode_with_opencv(path, "png") is None
    (size,) = inspect_image(path, "png", 10_000)
    assert (size.width, size.height) == (20, 60)
    assert decode_frame(path, "png", 0, 10_000).shape == (60, 20, 3)


def saved(kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (SMALL, SMALL)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "sizes",
    [
        [(LONG, LARGE), (LONG, SMALL)],
        [(LONG, SMALL), (LONG, LARGE)],
        [(SIGNED_LONG_8, LARGE), (LONG, SMALL)],
    ],
)
def test_a_tiff_that_names_two_sizes_is_not_decoded(tmp_path, sizes, order):
    path = tmp_path / "two.tiff"
    path.write_bytes(tiff(*sizes, order=order))
    assert not says_one_size(path)
    with pytest.raises(InvalidDocument, match="two sizes"):
        decode_frame(path, "tiff", 0, LARGE * LARGE)


def test_a_picture_that_comes_out_in_another_size_than_was_checked_is_not_taken(tmp_path, monkeypatch):
    path = tmp_path / "one.tiff"
    path.write_bytes(tiff((LONG, SMALL)))
    monkeypatch.setattr(images.cv2, "imread", lambda *_: np.zeros((LARGE, LARGE, 3), np.uint8))
    with pytest.raises(InvalidDocument, match="two sizes"):
        decode_frame(path, "tiff", 0, LARGE * LARGE)


async def test_a_worker_is_told_how_many_pixels_opencv_may_decode_and_nobody_else(tmp_path):
    path = tmp_path / "small.png"
    path.write_bytes(saved("PNG"))
    pool = RenderPool(workers=1, timeout_seconds=60, max_pixels=1234)
    try:
        await pool.run(RenderTask(path, "png", 0, 2.0, 1234))
        (pid,) = pool.worker_pids
        assert psutil.Process(pid).environ()[OPENCV_LIMIT] == "1234"
        assert OPENCV_LIMIT not in os.environ
    finally:
        pool.close()


@pytest.mark.parametrize("kind", ["bmp", "tiff", "png"])
def test_a_picture_that_is_wider_than_opencv_takes_any_is_decoded(tmp_path, kind):
    path = tmp_path / f"wide.{kind}"
    Image.new("RGB", (1_100_000, 2), "red").save(path)
    assert decode_frame(path, kind, 0, 10_000_000).shape == (2, 1_100_000, 3)


@pytest.mark.parametrize("side", [16_384, 2**31])
def test_a_tiff_of_tiles_without_end_is_not_decoded(tmp_path, side):
    path = tmp_path / "tiles.tiff"
    path.write_bytes(tiff((LONG, SMALL), tile=side))
    with pytest.raises(InvalidDocument, match="tiles are too large"):
        inspect_image(path, "tiff", 10_000)


@pytest.mark.parametrize(
    "data",
    [tiff((LONG, SMALL)), tiff((LONG, SMALL), order=">"), saved("TIFF"), saved("TIFF", big_tiff=True)],
    ids=["little", "big", "Pillow's", "BigTIFF"],
)
def test_a_tiff_of_one_size_is_decoded(tmp_path, data):
    path = tmp_path / "one.tiff"
    path.write_bytes(data)
    assert says_one_size(path)
    (size,) = inspect_image(path, "tiff", 1000)
    assert (size.width, size.height) == (SMALL, SMALL)
    assert decode_frame(path, "tiff", 0, 1000).shape == (SMALL, SMALL, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"II", b"XX*\0", b"II*\0\xff\xff\xff\xff", b"II+\0" + b"\xff" * 12, tiff((LONG, SMALL))[:-60]],
)
def test_a_directory_that_cannot_be_read_says_no_size(tmp_path, data):
    path = tmp_path / "none.tiff"
    path.write_bytes(data)
    assert not says_one_size(path)
