"""A picture file becomes the same pixels as in PaddleX, whatever its format and however it holds its colours."""

import base64
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.docparse.pages import box
from tests.parity.comparing import assert_same, even
from tests.parity.samples import IMAGE, Sample, texture
from tests.parity.services import Models, ask_ours, ask_paddlex

REGIONS = [box("text", 10, 10, 60, 40), box("image", 10, 50, 90, 95)]
EXTRA_SAMPLES = 338  # of TIFF: 1 says that the colours are multiplied by the opacity, 2 that they are not
PICTURE = texture(width=100, height=120)


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation, kind, picture=PICTURE):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture, kind, exif=exif)


def see_through():
    """Of every colour and every opacity, also where nothing of the colour is seen."""
    opacity = Image.fromarray(np.linspace(0, 255, 100 * 120).reshape(120, 100).astype(np.uint8))
    picture = PICTURE.copy()
    picture.putalpha(opacity)
    return picture


def png_with(*chunks, behind_the_pixels=False):
    """The picture with further chunks, (kind, data) each; a wrong checksum where the data is a str."""
    data = saved(PICTURE, "PNG")
    at = data.index(b"IEND") - 4 if behind_the_pixels else data.index(b"IDAT") - 4
    for kind, content in chunks:
        body = content.encode() if isinstance(content, str) else content
        check = zlib.crc32(kind + body) ^ isinstance(content, str)
        data = data[:at] + struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check) + data[at:]
    return data


ON_ITS_SIDE = turned(6, "PNG").partition(b"eXIf")[2][:26]
XMP_ON_ITS_SIDE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
DEEP_TIFF = cv2.imencode(".tiff", np.asarray(PICTURE).astype(np.uint16) * 251)[1].tobytes()
FILES = {
    "PNG": saved(PICTURE, "PNG"),
    "PNG, grey": saved(PICTURE.convert("L"), "PNG"),
    "PNG, black and white": saved(PICTURE.convert("1"), "PNG"),
    "PNG, palette": saved(PICTURE.convert("P"), "PNG"),
    "PNG, grey of 16 bits": saved(PICTURE.convert("L").convert("I;16"), "PNG"),
    "PNG, opacity": saved(see_through(), "PNG"),
    "PNG, grey and opacity": saved(see_through().convert("LA"), "PNG"),
    "PNG, palette and opacity": saved(PICTURE.convert("P"), "PNG", transparency=bytes(range(256))),
    "PNG, a colour that is none": saved(PICTURE, "PNG", transparency=PICTURE.getpixel((10, 10))),
    "JPEG": saved(PICTURE, "JPEG"),
    "JPEG, grey": saved(PICTURE.convert("L"), "JPEG"),
    "JPEG, progressive, no subsampling": saved(PICTURE, "JPEG", progressive=True, subsampling=0),
    **{f"JPEG, orientation {number}": turned(number, "JPEG") for number in (2, 3, 6, 8)},
    "JPEG, CMYK": saved(see_through().convert("CMYK"), "JPEG"),
    "JPEG, CMYK of every ink": saved(
        Image.merge("CMYK", [*PICTURE.split(), PICTURE.convert("L").transpose(0)]), "JPEG", quality=100
    ),
    "WebP": saved(PICTURE, "WEBP"),
    "WebP, lossless": saved(PICTURE, "WEBP", lossless=True),
    "WebP, opacity": saved(see_through(), "WEBP"),
    "WebP, lossless, opacity": saved(see_through(), "WEBP", lossless=True, exact=True),
    "WebP, orientation 6": turned(6, "WEBP"),
    "TIFF, colours of 16 bits": DEEP_TIFF,
    "BMP": saved(PICTURE, "BMP"),
    "BMP, palette": saved(PICTURE.convert("P"), "BMP"),
    "TIFF": saved(PICTURE, "TIFF"),
    "TIFF, LZW": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF, fax": saved(PICTURE.convert("1"), "TIFF", compression="group4"),
    "TIFF, opacity": saved(see_through(), "TIFF"),
    "TIFF, grey and opacity": saved(see_through().convert("LA"), "TIFF"),
    "TIFF, opacity that the colours have in them": saved(see_through(), "TIFF").replace(
        struct.pack("<HHII", EXTRA_SAMPLES, 3, 1, 2), struct.pack("<HHII", EXTRA_SAMPLES, 3, 1, 1)
    ),
    "TIFF, grey of 16 bits": saved(
        PICTURE.convert("L").point(lambda v: v * 257, "I").convert("I;16"), "TIFF"
    ),
    "TIFF, YCbCr": saved(PICTURE.convert("YCbCr"), "TIFF"),
    "TIFF, LAB": saved(Image.merge("LAB", PICTURE.split()), "TIFF"),
    "TIFF, CMYK": saved(PICTURE.convert("CMYK"), "TIFF"),
    "BMP, opacity": saved(see_through(), "BMP"),
    "PNG, orientation 6": turned(6, "PNG"),
    "PNG, orientation behind the pixels": png_with((b"eXIf", ON_ITS_SIDE), behind_the_pixels=True),
    "PNG, a text of megabytes": png_with((b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))),
    "PNG, a wrong checksum beside the pixels": png_with((b"pHYs", "\0" * 9)),
    "JPEG, orientation in XMP": saved(PICTURE, "JPEG", xmp=XMP_ON_ITS_SIDE),
    "WebP, orientation in XMP": saved(PICTURE, "WEBP", xmp=XMP_ON_ITS_SIDE),
    "JPEG, orientation that is none": turned(9, "JPEG"),
    "JPEG, CMYK, orientation 6": turned(6, "JPEG", PICTURE.convert("CMYK")),
    **{f"TIFF, opacity, orientation {n}": turned(n, "TIFF", see_through()) for n in (2, 3, 6, 8)},
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
async def test_a_picture_is_answered_as_paddlex_does(pool, data):
    await assert_answered_alike(pool, data, REGIONS)


async def test_a_jpeg_that_was_cut_short_is_answered_with_what_there_is_of_it(pool):
    """Of the rest PaddleX shows what lay in memory before, so that no two of its answers are the same."""
    models, whole = Models([[]]), saved(PICTURE, "JPEG", quality=95)
    body = Sample(whole[: len(whole) // 2], IMAGE, [[]]).body()
    theirs, ours = await ask_paddlex(models, body), await ask_ours(models, body, pool)
    assert (theirs.status_code, ours.status_code) == (200, 200)
    (element,) = ours.json()["result"]["layoutParsingResults"]
    assert [warning["code"] for warning in element["warnings"]] == ["image_truncated"]
    seen = page_of(ours)
    assert seen.shape == (120, 100, 3)
    assert np.abs(seen[:40].astype(int) - np.asarray(PICTURE)[:40, :, ::-1]).mean() < 30
    assert np.abs(seen[-40:].astype(int) - 128).max() < 5


@pytest.mark.difference(10)
async def test_a_jpeg_that_lacks_its_end_alone_is_answered_as_paddlex_does_and_says_so(pool):
    sample = Sample(saved(PICTURE, "JPEG")[:-2], IMAGE, [REGIONS])
    models = Models(sample.pages)
    theirs, ours = await ask_paddlex(models, sample.body()), await ask_ours(models, sample.body(), pool)
    our_answer, their_answer = even(ours, theirs)
    (warning,) = our_answer["result"]["layoutParsingResults"][0].pop("warnings")
    assert warning["code"] == "image_truncated"
    assert our_answer == their_answer


def page_of(answer):
    data = base64.b64decode(answer.json()["result"]["layoutParsingResults"][0]["inputImage"])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


async def test_frames_of_different_kinds_are_answered_as_paddlex_does(pool):
    grey = texture(1, 100, 120).convert("L")
    deep = Image.fromarray(np.asarray(grey).T.reshape(120, 100).astype(np.uint16) * 3)
    more = [grey, see_through(), texture(2, 120, 100).convert("CMYK"), deep]
    data = saved(texture(3, 100, 120), "TIFF", save_all=True, append_images=more)
    await assert_answered_alike(pool, data, REGIONS, *[REGIONS[:1]] * 2, [], REGIONS[:1])


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
async def test_a_tiff_that_says_how_to_turn_it_is_answered_as_paddlex_does(pool, orientation):
    await assert_answered_alike(pool, turned(orientation, "TIFF"), REGIONS)


async def assert_answered_alike(pool, data, *pages):
    sample = Sample(data, IMAGE, list(pages))
    models = Models(sample.pages)
    theirs = await ask_paddlex(models, sample.body())
    assert_same(await ask_ours(models, sample.body(), pool), theirs)
