"""A picture whose header says two sizes is not decoded in the one that was not checked."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from docparse.documents import RenderPool, images
from docparse.documents.images import decode_frame, inspect_image
from docparse.documents.tiff import says_one_size
from docparse.documents.worker import RenderTask
from docparse.errors import InvalidDocument

SMALL, LARGE = 10, 400
LONG, SIGNED_LONG_8 = 4, 17  # Pillow does not know the second


def tiff(*sizes: tuple[int, int], order: str = "<") -> bytes:
    """Grey, uncompressed; its directory names width and length once for each (type of field, value)."""
    entries = [(tag, kind, size) for tag in (256, 257) for kind, size in sizes]
    entries += [
        (258, LONG, 8),
        (259, LONG, 1),
        (262, LONG, 1),
        (273, LONG, 8),
        (278, LONG, LARGE),
        (279, LONG, LARGE * LARGE),
    ]
    pixels = bytes(LARGE * LARGE)
    directory = struct.pack(order + "H", len(entries))
    for tag, kind, value in entries:
        place = "I" if kind == LONG else "i"
        directory += struct.pack(order + "HHI" + place, tag, kind, 1, value)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(pixels))
    return head + pixels + directory + bytes(4)


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


async def test_no_header_makes_opencv_decode_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "0")  # as it was, behind the test
    path = tmp_path / "large.png"
    path.write_bytes(saved("PNG"))
    pool = RenderPool(workers=1, timeout_seconds=60, max_pixels=SMALL * SMALL - 1)
    try:
        with pytest.raises(InvalidDocument, match="two sizes"):
            await pool.run(RenderTask(path, "png", 0, 2.0, 10_000))  # as if Pillow had seen less
    finally:
        pool.close()


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
