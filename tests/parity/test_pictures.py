"""A picture file becomes the same pixels as in PaddleX, whatever its format and however it holds its colours."""

import io

import pytest
from PIL import Image

from tests.docparse.pages import box
from tests.parity.comparing import assert_same
from tests.parity.samples import IMAGE, Sample, texture
from tests.parity.services import Models, ask_ours, ask_paddlex

REGIONS = [box("text", 10, 10, 60, 40), box("image", 10, 50, 90, 95)]
PICTURE = texture(width=100, height=120)


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(PICTURE, kind, exif=exif)


FILES = {
    "PNG": saved(PICTURE, "PNG"),
    "PNG, grey": saved(PICTURE.convert("L"), "PNG"),
    "PNG, black and white": saved(PICTURE.convert("1"), "PNG"),
    "PNG, palette": saved(PICTURE.convert("P"), "PNG"),
    "PNG, grey of 16 bits": saved(PICTURE.convert("L").convert("I;16"), "PNG"),
    "JPEG": saved(PICTURE, "JPEG"),
    "JPEG, grey": saved(PICTURE.convert("L"), "JPEG"),
    "JPEG, progressive, no subsampling": saved(PICTURE, "JPEG", progressive=True, subsampling=0),
    **{f"JPEG, orientation {number}": turned(number, "JPEG") for number in (2, 3, 6, 8)},
    "WebP": saved(PICTURE, "WEBP"),
    "WebP, lossless": saved(PICTURE, "WEBP", lossless=True),
    "BMP": saved(PICTURE, "BMP"),
    "BMP, palette": saved(PICTURE.convert("P"), "BMP"),
    "TIFF": saved(PICTURE, "TIFF"),
    "TIFF, LZW": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF, fax": saved(PICTURE.convert("1"), "TIFF", compression="group4"),
    "TIFF, CMYK": saved(PICTURE.convert("CMYK"), "TIFF"),
    "PNG, orientation 6": turned(6, "PNG"),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
async def test_a_picture_is_answered_as_paddlex_does(pool, data):
    await assert_answered_alike(pool, data, REGIONS)


async def test_frames_of_different_kinds_are_answered_as_paddlex_does(pool):
    more = [texture(1, 100, 120).convert("L"), texture(2, 120, 100).convert("CMYK")]
    data = saved(PICTURE, "TIFF", save_all=True, append_images=more)
    await assert_answered_alike(pool, data, REGIONS, REGIONS[:1], [])


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
async def test_a_tiff_that_says_how_to_turn_it_is_answered_as_paddlex_does(pool, orientation):
    await assert_answered_alike(pool, turned(orientation, "TIFF"), REGIONS)


async def assert_answered_alike(pool, data, *pages):
    sample = Sample(data, IMAGE, list(pages))
    models = Models(sample.pages)
    theirs = await ask_paddlex(models, sample.body())
    assert_same(await ask_ours(models, sample.body(), pool), theirs)
