import io
import os
import signal

import numpy as np
import pytest
from PIL import Image

from docparse.documents import RenderPool, open_document
from docparse.errors import (
    EmptyDocument,
    EncryptedDocument,
    ImageTooLarge,
    InvalidDocument,
    InvalidOption,
    PageFailure,
    TooManyPages,
)
from docparse.settings import Settings
from tests.samples import encrypted_pdf, image_bytes, noise_png, pdf_bytes, pdf_without_pages, png_header_of


async def test_a_pdf_is_rendered_at_two_pixels_per_point_page_by_page(pool, settings):
    async with open_document(pdf_bytes(3), "pdf", None, pool, settings) as document:
        assert document.kind == "pdf"
        assert [(page.width, page.height) for page in document.pages] == [(400, 200)] * 3
        pages = [await document.render(position) for position in (2, 0, 1)]
    assert all(page.shape == (200, 400, 3) and page.dtype == np.uint8 for page in pages)
    assert [round(float(page.mean())) for page in pages] == [170, 0, 85]


async def test_page_ranges_select_pages_and_keep_the_true_count(pool, settings):
    async with open_document(pdf_bytes(5), "pdf", "4, 1-2", pool, settings) as document:
        assert (len(document.pages), document.total_pages) == (3, 5)
        assert round(float((await document.render(2)).mean())) == round(255 * 3 / 5)


@pytest.mark.parametrize("page_ranges", ["0", "2-1", "6", "a", "1,,2", "-3", ""])
async def test_page_ranges_that_make_no_sense_are_refused_by_name(pool, settings, page_ranges):
    with pytest.raises(InvalidOption, match="pageRanges"):
        async with open_document(pdf_bytes(5), "pdf", page_ranges, pool, settings):
            pass


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "gif", "tiff"])
async def test_every_image_format_becomes_one_bgr_page(pool, settings, kind):
    data = image_bytes(kind, colour=(255, 0, 0))
    async with open_document(data, kind, None, pool, settings) as document:
        assert (document.kind, document.total_pages) == ("image", 1)
        page = await document.render(0)
    blue, green, red = page.reshape(-1, 3).mean(axis=0)
    assert page.shape == (40, 60, 3)
    assert (blue < 10, green < 10, red > 240) == (True, True, True)


async def test_frames_of_a_tiff_are_its_pages(pool, settings):
    buffer = io.BytesIO()
    frames = [Image.new("L", (30 + index, 20), index * 60) for index in range(3)]
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    async with open_document(buffer.getvalue(), "tiff", None, pool, settings) as document:
        assert document.kind == "tiff"
        assert [page.width for page in document.pages] == [30, 31, 32]
        assert (await document.render(2)).mean() == 120


async def test_an_image_is_turned_as_its_exif_says(pool, settings):
    image = Image.new("RGB", (60, 40))
    exif = image.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    async with open_document(buffer.getvalue(), "jpeg", None, pool, settings) as document:
        assert (document.pages[0].width, document.pages[0].height) == (40, 60)
        assert (await document.render(0)).shape == (60, 40, 3)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x046\0\0\0\0\0\0\0",  # the text "6"
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04top\0\0\0\0\0",
        b"Exif\0\0MM\0*",
        b"Exif\0\0nothing of the kind",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
    ],
    ids=["digit", "word", "short", "not EXIF", "nowhere"],
)
@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
async def test_an_image_whose_exif_makes_no_sense_is_taken_as_it_is(pool, settings, kind, exif):
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40)).save(buffer, kind, exif=exif)
    async with open_document(buffer.getvalue(), kind, None, pool, settings) as document:
        assert (document.pages[0].width, document.pages[0].height) == (60, 40)
        assert (await document.render(0)).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [("webp", "RGB", {"save_all": True, "append_images": [Image.new("RGB", (60, 40))]}), ("tiff", "F", {})],
    ids=["moving WebP", "TIFF of floating point"],
)
async def test_what_opencv_cannot_read_pillow_may(pool, settings, kind, mode, options):
    buffer = io.BytesIO()
    Image.new(mode, (60, 40), "white" if mode == "RGB" else 255.0).save(buffer, kind.upper(), **options)
    async with open_document(buffer.getvalue(), kind, None, pool, settings) as document:
        assert (await document.render(0)).min() > 250


async def test_sixteen_bits_of_grey_are_scaled_not_clipped(pool, settings):
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(buffer, "PNG")
    async with open_document(buffer.getvalue(), "png", None, pool, settings) as document:
        assert (await document.render(0)).mean() == 128


@pytest.mark.parametrize(
    ("data", "kind", "error"),
    [
        (b"", "png", EmptyDocument),
        (encrypted_pdf(), "pdf", EncryptedDocument),
        (pdf_bytes(1)[:150], "pdf", InvalidDocument),
        (pdf_without_pages(), "pdf", (EmptyDocument, InvalidDocument)),
        (b"%PDF-1.7 and then nothing of the kind", "pdf", InvalidDocument),
        (image_bytes("png")[:20], "png", InvalidDocument),
        (png_header_of(60_000, 60_000), "png", ImageTooLarge),
    ],
    ids=["empty", "encrypted", "truncated pdf", "no pages", "not a pdf", "truncated header", "bomb"],
)
async def test_a_bad_document_is_refused_before_a_page_is_rendered(pool, settings, data, kind, error):
    with pytest.raises(error, match="file"):
        async with open_document(data, kind, None, pool, settings):
            pass


async def test_a_truncated_image_is_refused_not_half_read(pool, settings):
    async with open_document(noise_png()[:-4000], "png", None, pool, settings) as document:
        with pytest.raises(InvalidDocument, match="truncated"):
            await document.render(0)


async def test_the_page_limit_refuses_a_long_document_but_not_a_range_of_it(pool, tmp_path):
    settings = Settings(max_pages=2, spool_dir=tmp_path)
    with pytest.raises(TooManyPages, match=r"3 pages; at most 2"):
        async with open_document(pdf_bytes(3), "pdf", None, pool, settings):
            pass
    async with open_document(pdf_bytes(3), "pdf", "2-3", pool, settings) as document:
        assert len(document.pages) == 2


async def test_a_huge_pdf_page_is_rendered_smaller_not_refused(pool, tmp_path):
    settings = Settings(max_pixels=10_000, spool_dir=tmp_path)
    async with open_document(pdf_bytes(1), "pdf", None, pool, settings) as document:
        page = await document.render(0)
    assert page.shape[0] * page.shape[1] <= 10_000
    assert page.shape[:2] == (document.pages[0].height, document.pages[0].width)


async def test_nothing_is_left_on_disk(pool, settings, tmp_path):
    async with open_document(pdf_bytes(1), "pdf", None, pool, settings):
        assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(EncryptedDocument):
        async with open_document(encrypted_pdf(), "pdf", None, pool, settings):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_worker_that_dies_costs_one_page_and_is_replaced(tmp_path):
    pool = RenderPool(workers=1, timeout_seconds=30, max_pixels=10**8)
    settings = Settings(spool_dir=tmp_path)
    try:
        async with open_document(pdf_bytes(2), "pdf", None, pool, settings) as document:
            (pid,) = pool.worker_pids
            os.kill(pid, signal.SIGKILL)
            assert (await document.render(0)).shape == (200, 400, 3)
            assert pool.worker_pids != [pid]
    finally:
        pool.close()


async def test_a_page_that_takes_too_long_is_given_up_and_its_worker_replaced(tmp_path):
    pool = RenderPool(workers=1, timeout_seconds=30, max_pixels=10**8)
    settings = Settings(spool_dir=tmp_path)
    try:
        # Large, so that it is not done before anybody looks.
        async with open_document(pdf_bytes(1, (1000, 1000)), "pdf", None, pool, settings) as document:
            pool._timeout_seconds = 0.0
            before = pool.worker_pids
            with pytest.raises(PageFailure, match="longer than"):
                await document.render(0)
            assert pool.worker_pids == []
            pool._timeout_seconds = 30
            assert (await document.render(0)).shape == (2000, 2000, 3)
            assert pool.worker_pids != before
    finally:
        pool.close()


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_turned_picture_is_turned_once(pool, settings, kind, orientation):
    upright = Image.new("L", (60, 40), 255)
    upright.paste(0, (0, 0, 30, 20))  # dark at the top left
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = stored.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, kind.upper(), exif=exif)
    async with open_document(buffer.getvalue(), kind, None, pool, settings) as document:
        assert (document.pages[0].width, document.pages[0].height) == (60, 40)
        page = await document.render(0)
    assert page.shape == (40, 60, 3)
    assert page[5, 5].max() < 60
    assert page[35, 55].min() > 200
