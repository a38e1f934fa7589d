"""Which pictures go into a Word document of restructured pages, and what is said of the others."""

import asyncio
import base64
import io
import json
import re
import struct
import zipfile
import zlib

import pytest

from docparse.assembly.pictures import encode_again_for_word
from docparse.image_store import OwnLinks
from docparse.image_store.local import LocalStore
from docparse.restructuring import restructure_pages
from tests.docparse.restructuring.made_pages import PLAIN, block, page, picture, picture_file, restructured


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("prefix", ["", "data:image/x;base64,"])
def test_pictures_go_into_the_word_document(kind, prefix):
    given = page(block("image", ""), images={PLAIN: prefix + picture(kind=kind)})
    (element,) = restructured(given, output_formats=["docx"])
    assert element["exports"]["docx"]["fileName"].endswith(".docx")
    assert "warnings" not in element


@pytest.mark.parametrize(
    "data",
    [picture_file()[:-8], picture_file(width=2001), picture_file(kind="PNG", width=2000, height=2000)],
    ids=["broken", "larger than the service sends any", "denser than the service sends any"],
)
def test_a_picture_that_cannot_have_come_from_the_service_goes_into_the_word_document_as_it_is(data):
    given = page(block("image", ""), images={PLAIN: base64.b64encode(data).decode()})
    (element,) = restructured(given, output_formats=["docx"])
    assert media(element) == [data]


def png_without_pixels(side):
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + head, b"IDAT", b"IEND"]
    parts = [struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    "data",
    [
        png_without_pixels(10_000),
        png_without_pixels(100_000),
        picture_file(width=60_000, height=60_000)[:2000],
    ],
    ids=["warned of", "bomb", "JPEG"],
)
def test_a_few_bytes_that_say_that_they_are_a_huge_picture_cost_nothing(data):
    given = page(block("image", ""), images={PLAIN: base64.b64encode(data).decode()})
    (element,) = restructured(given, output_formats=["docx"])
    assert media(element) == [data]


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:1/a.jpg", "no base64 \x00", "", "AAAA", "UklGRgAAAABXQVZF"]
)
def test_a_picture_that_is_none_is_left_out_of_the_word_document_and_said_so(text):
    given = page(block("image", ""), images={PLAIN: text})
    (element,) = restructured(given, output_formats=["docx"])
    assert "exports" in element
    assert element["markdown"]["images"] == {PLAIN: text}
    assert [warning["code"] for warning in element["warnings"]] == ["pictures_not_exported"]


SECRET = b"a secret of some length"
NOW = 1_767_225_000


@pytest.fixture
def stored(tmp_path):
    """A link of the local store to a red picture, good for an hour."""
    store = LocalStore(tmp_path, base_url="http://ocr", secret=SECRET, url_seconds=3600, now=lambda: NOW)
    (url,) = asyncio.run(store.keep([base64.b64decode(picture())]))
    store.close()
    return url


def media(element):
    """The pictures in a Word document."""
    content = base64.b64decode(element["exports"]["docx"]["content"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist() if name.startswith("word/media/")]


@pytest.mark.parametrize("base", ["http://ocr", "https://other.example/behind/a/proxy"])
def test_a_picture_behind_a_link_of_ours_goes_into_the_word_document(tmp_path, stored, base):
    link = stored.replace("http://ocr", base)
    given = page(block("image", ""), images={PLAIN: link})
    links = OwnLinks(tmp_path, SECRET, now=lambda: NOW + 3599)
    (element,) = json.loads(restructure_pages([given], {"output_formats": ["docx"]}, links))[
        "layoutParsingResults"
    ]
    assert media(element) == [encode_again_for_word(base64.b64decode(picture()))]
    assert element["markdown"]["images"] == {PLAIN: link}
    assert "warnings" not in element


def foreign(url):
    return "http://127.0.0.1:1/" + url.rpartition("/")[2]


LINKS_OF_NOBODY = {
    "another signature": lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
    "another expiry": lambda url: url.replace("expires=1", "expires=2"),
    "another name": lambda url: re.sub(r"-([0-9a-f]{32})", "-" + "0" * 32, url),
    "out of the folder": lambda url: url.replace("/images/", "/images/../"),
    "another path": foreign,
    "more behind it": lambda url: url + "&more=1",
    "a file": lambda url: "file://" + url.removeprefix("http://"),
}


@pytest.mark.parametrize("change", LINKS_OF_NOBODY)
def test_a_link_that_was_changed_leads_nowhere(tmp_path, stored, change):
    given = page(block("image", ""), images={PLAIN: LINKS_OF_NOBODY[change](stored)})
    links = OwnLinks(tmp_path, SECRET, now=lambda: NOW)
    (element,) = json.loads(restructure_pages([given], {"output_formats": ["docx"]}, links))[
        "layoutParsingResults"
    ]
    assert media(element) == []
    assert [warning["code"] for warning in element["warnings"]] == ["pictures_not_exported"]


@pytest.mark.parametrize("why", ["expired", "gone", "secret", "no folder"])
def test_a_link_of_ours_that_is_no_longer_good_leads_nowhere(tmp_path, stored, why):
    if why == "gone":
        next(tmp_path.rglob("*.jpg")).unlink()
    folder = tmp_path / "elsewhere" if why == "no folder" else tmp_path
    links = OwnLinks(
        folder, b"another" if why == "secret" else SECRET, now=lambda: NOW + 3600 * (why == "expired")
    )
    assert links.picture(stored) is None
    assert OwnLinks(tmp_path, SECRET, now=lambda: NOW).picture(stored) is not None or why == "gone"


@pytest.mark.parametrize(
    "given",
    [
        page(block(content="a \x00 that XML has no place for")),
        page(block("image", ""), images={PLAIN: base64.b64encode(b"\xff\xd8\xff broken").decode()}),
        page(block("table", "<table>" + "<tr><td>" * 400 + "<tr>" + "<td>" * 400)),
    ],
    ids=["control character", "broken JPEG", "too many cells"],
)
def test_a_word_document_that_cannot_be_written_costs_only_itself(given):
    (element,) = restructured(given, output_formats=["docx"])
    assert "exports" not in element
    assert [warning["code"] for warning in element["warnings"]] == ["export_failed"]
