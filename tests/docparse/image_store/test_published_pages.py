import asyncio
import base64
import logging
import re

import cv2
import numpy as np
import pytest

from docparse.image_store import StoreFailed
from docparse.image_store.local import LocalStore
from docparse.image_store.signing import picture_path
from tests.docparse.pages import box
from tests.docparse.parsing import running_pipeline
from tests.samples import pdf_bytes


class BrokenStore:
    """Fails as it is told, or never answers."""

    def __init__(self, failure: Exception | None) -> None:
        self.failure = failure
        self.asked = asyncio.Event()
        self.cancelled = False

    async def keep(self, pictures):
        self.asked.set()
        try:
            if self.failure is None:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise self.failure

    def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path / "kept", base_url="http://ocr", secret=b"secret", url_seconds=60)
    yield store
    store.close()


def pictures_in(element):
    shown = [*element["markdown"].get("images", {}).values(), *element.get("outputImages", {}).values()]
    return [*shown, element["inputImage"]] if "inputImage" in element else shown


def decode(data: bytes):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


async def parse(pool, settings, store, pages=1, **options):
    async with running_pipeline(pool, settings, store) as pipeline:
        pipeline.layout.boxes = [box("image", 20, 20, 180, 180), box("text", 20, 190, 180, 195)]
        parsing = await pipeline.parse(pdf_bytes(pages), **options).finish()
    return [parsing.elements[index] for index in sorted(parsing.elements)]


async def test_every_picture_of_a_page_is_a_url_and_the_same_picture_as_inline(
    pool, settings, store, tmp_path
):
    (element,) = await parse(pool, settings, store, visualize=True)
    (inline,) = await parse(pool, settings, None, visualize=True)
    assert len(pictures_in(element)) == 3
    for url, encoded in zip(pictures_in(element), pictures_in(inline), strict=True):
        name = re.fullmatch(r"http://ocr/images/([0-9]+-[0-9a-f]{32}\.jpg)\?expires=.*&signature=.*", url)[1]
        kept = (tmp_path / "kept" / picture_path(name)).read_bytes()
        assert kept == base64.b64decode(encoded)
        assert decode(kept) is not None
    assert "warnings" not in element


async def test_the_text_keeps_its_paths_and_the_images_say_where_they_are(pool, settings, store):
    elements = await parse(pool, settings, store, pages=3)
    for element in elements:
        assert "http" not in element["markdown"]["text"]
        assert all(f'src="{key}"' in element["markdown"]["text"] for key in element["markdown"]["images"])
    urls = [url for element in elements for url in element["markdown"]["images"].values()]
    assert len(set(urls)) == 3


async def test_a_picture_that_nobody_asked_for_is_not_kept(pool, settings, store, tmp_path):
    (element,) = await parse(pool, settings, store, return_markdown_images=False)
    assert "images" not in element["markdown"]
    assert list((tmp_path / "kept").iterdir()) == []


async def test_a_document_export_holds_its_pictures_itself(pool, settings, store):
    (element,) = await parse(pool, settings, store, output_formats=["docx"])
    assert base64.b64decode(element["exports"]["docx"]["content"]).startswith(b"PK")


@pytest.mark.parametrize("failure", [StoreFailed("the disk is full"), RuntimeError("a defect")])
async def test_a_store_that_fails_costs_a_warning_and_no_picture(pool, settings, caplog, failure):
    with caplog.at_level(logging.WARNING, logger="docparse"):
        (element,) = await parse(pool, settings, BrokenStore(failure), visualize=True)
    (inline,) = await parse(pool, settings, None, visualize=True)
    expected = [f"data:image/jpeg;base64,{encoded}" for encoded in pictures_in(inline)]
    assert pictures_in(element) == expected
    assert [warning["code"] for warning in element["warnings"]] == ["images_not_stored"]
    assert str(failure) not in str(element["warnings"])
    assert str(failure) in caplog.text


async def test_a_client_that_leaves_does_not_wait_for_the_store(pool, settings):
    store = BrokenStore(None)
    async with running_pipeline(pool, settings, store) as pipeline:
        pipeline.layout.boxes = [box("image", 20, 20, 180, 180)]
        parsing = pipeline.parse(pdf_bytes(1))
        await store.asked.wait()
        parsing.task.cancel()
        await asyncio.wait([parsing.task])
    assert store.cancelled
