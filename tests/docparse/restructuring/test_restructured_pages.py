"""What PaddleX has no answer to: bad pages, odd names, pictures that are none, tables that would never end."""

import asyncio
import base64
import io
import json
import re
import zipfile

import pytest
from PIL import Image

from docparse.assembly.pictures import encode_again_for_word
from docparse.errors import InvalidOption, InvalidPages
from docparse.image_store import OwnLinks
from docparse.image_store.local import LocalStore
from docparse.restructuring import restructure_pages

PLAIN = "imgs/img_in_image_box_10_10_90_90.jpg"


def picture_file(colour="red", kind="JPEG", width=8):
    buffer = io.BytesIO()
    Image.new("RGB", (width, 8), colour).save(buffer, kind)
    return buffer.getvalue()


def picture(colour="red", kind="JPEG"):
    return base64.b64encode(picture_file(colour, kind)).decode()


def block(label="text", content="a text", bbox=(10, 10, 90, 90), **more):
    return {"block_label": label, "block_content": content, "block_bbox": list(bbox), **more}


def page(*blocks, images=None, **more):
    return {
        "prunedResult": {
            "width": 100, "height": 100, "page_count": None,
            "model_settings": {"use_doc_preprocessor": False, "use_layout_detection": True},
            "parsing_res_list": list(blocks), "layout_det_res": {"boxes": []}, **more,
        },
        "markdownImages": images,
    }  # fmt: skip


def restructured(*pages, **options):
    return json.loads(restructure_pages(pages, options))["layoutParsingResults"]


def without(name):
    changed = page(block())
    del changed["prunedResult"][name]
    return changed


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({}, "pages[1].prunedResult"),
        (None, "pages[1]"),
        ([], "pages[1]"),
        ({"prunedResult": None}, "pages[1].prunedResult"),
        ({"prunedResult": {}}, "pages[1].prunedResult.width"),
        (without("width"), "pages[1].prunedResult.width"),
        (without("height"), "pages[1].prunedResult.height"),
        (without("model_settings"), "pages[1].prunedResult.model_settings"),
        (without("parsing_res_list"), "pages[1].prunedResult.parsing_res_list"),
        (page(width=0), "pages[1].prunedResult.width"),
        (page(width="100"), "pages[1].prunedResult.width"),
        (page(height=10**30), "pages[1].prunedResult.height"),
        (page(model_settings=[]), "pages[1].prunedResult.model_settings"),
        (
            page(model_settings={"markdown_ignore_labels": "text"}),
            "pages[1].prunedResult.model_settings.markdown_ignore_labels",
        ),
        (page(None), "pages[1].prunedResult.parsing_res_list[0]"),
        (page({}), "pages[1].prunedResult.parsing_res_list[0].block_label"),
        (page(block(content=None)), "pages[1].prunedResult.parsing_res_list[0].block_content"),
        (page(block(), block(bbox=(1, 2, 3))), "pages[1].prunedResult.parsing_res_list[1].block_bbox"),
        (page(block(bbox=(1, 2, 3, "4"))), "pages[1].prunedResult.parsing_res_list[0].block_bbox[3]"),
        (page(block(bbox=(1, 2, 3, 1e300))), "pages[1].prunedResult.parsing_res_list[0].block_bbox[3]"),
        (page(images={"a": 1}), "pages[1].markdownImages.a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_page_that_no_service_answered_is_refused_by_the_name_of_its_field(bad, field):
    with pytest.raises(InvalidPages, match=r"`pages") as caught:
        restructured(page(block()), bad)
    assert str(caught.value).startswith(f"`{field}`: ")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"merge_tables": 1}, "mergeTables"),
        ({"output_formats": ["pdf"]}, "outputFormats"),
        ({"new": True}, "new"),
    ],
)
def test_an_option_that_is_wrong_or_unknown_is_refused_by_name(options, name):
    with pytest.raises(InvalidOption, match=f"`{name}`"):
        restructured(**options)


def test_what_a_client_left_out_of_a_page_is_not_made_up():
    given = page(block())
    for name in ("page_count", "layout_det_res"):
        del given["prunedResult"][name]
    given["prunedResult"]["model_settings"] = {}
    for concatenate in (True, False):
        (element,) = restructured(given, concatenate_pages=concatenate)
        assert "layout_det_res" not in element["prunedResult"]
        assert element["markdown"]["text"] == "a text"


def test_fields_of_a_block_that_paddlex_does_not_know_stay_with_it():
    pages = [page(block(reading={"page": number}), block()) for number in range(2)]
    (joined,) = restructured(*pages, concatenate_pages=True)
    fields = [each.get("reading") for each in joined["prunedResult"]["parsing_res_list"]]
    assert fields == [{"page": 0}, None, {"page": 1}, None]


def test_what_names_the_clients_files_is_left_out_as_everywhere():
    (element,) = restructured(
        page(layout_det_res={"input_path": "/home/me/a.pdf", "page_index": 3, "boxes": []})
    )
    assert element["prunedResult"]["layout_det_res"] == {"boxes": []}
    assert not {"input_path", "page_index"} & set(element["prunedResult"])


def test_a_name_with_a_page_in_it_is_found_again_when_the_pages_around_it_are_gone():
    renamed = PLAIN.replace("_box", "_page_7_box")
    (element,) = restructured(page(block("image", ""), images={renamed: "A"}))
    assert f'src="{renamed}"' in element["markdown"]["text"]
    assert element["markdown"]["images"] == {renamed: "A"}


def test_pages_of_two_documents_get_names_that_neither_has():
    second = PLAIN.replace("_box", "_page_2_box")
    document = [page(block("image", ""), images={PLAIN: "A"}), page(block("image", ""), images={second: "B"})]
    (joined,) = restructured(*document, *document, concatenate_pages=True)
    images, text = joined["markdown"]["images"], joined["markdown"]["text"]
    assert list(images.values()) == ["A", "B", "A", "B"]
    assert all(text.count(f'src="{key}"') == 1 for key in images)


def test_a_picture_that_only_a_table_shows_is_renamed_in_the_table():
    table = block("table", f'<table><tr><td><img src="{PLAIN}"></td></tr></table>')
    (joined,) = restructured(
        page(table, images={PLAIN: "A"}),
        page(table, images={PLAIN: "B"}),
        concatenate_pages=True,
        merge_tables=False,
    )
    assert list(joined["markdown"]["images"].values()) == ["A", "B"]
    for key in joined["markdown"]["images"]:
        assert joined["markdown"]["text"].count(f'src="{key}"') == 1


def test_a_table_that_shows_a_picture_of_the_next_page_goes_on_showing_it():
    second = PLAIN.replace("_box", "_page_2_box")
    table = block("table", f'<table><tr><td><img src="{PLAIN}"><img src="{second}"></td></tr></table>')
    pages = [page(table, images={PLAIN: "A"}), page(block("table", ""), images={second: "B"})]
    first, last = restructured(*pages)
    assert f'src="{second}"' in first["markdown"]["text"]
    assert last["markdown"]["images"] == {second: "B"}


def test_pictures_under_names_of_the_clients_own_are_all_kept():
    (joined,) = restructured(
        page(images={"a/logo.png": "A", "": "1"}),
        page(images={"a/logo.png": "B", "": "2"}),
        concatenate_pages=True,
    )
    assert joined["markdown"]["images"] == {
        "a/logo.png": "A", "": "1", "a/logo_page_2.png": "B", "_page_2": "2",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("prefix", ["", "data:image/x;base64,"])
def test_pictures_go_into_the_word_document(kind, prefix):
    given = page(block("image", ""), images={PLAIN: prefix + picture(kind=kind)})
    (element,) = restructured(given, output_formats=["docx"])
    assert element["exports"]["docx"]["fileName"].endswith(".docx")
    assert "warnings" not in element


@pytest.mark.parametrize(
    "data",
    [picture_file()[:-8], picture_file(width=2001)],
    ids=["broken", "larger than the service sends any"],
)
def test_a_picture_that_cannot_have_come_from_the_service_goes_into_the_word_document_as_it_is(data):
    given = page(block("image", ""), images={PLAIN: base64.b64encode(data).decode()})
    (element,) = restructured(given, output_formats=["docx"])
    assert media(element) == [data]


@pytest.mark.parametrize("text", ["http://127.0.0.1:1/a.jpg", "no base64 \x00", "", "AAAA"])
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


def span(rows, columns):
    return f"<table>{'<tr>' + f'<td rowspan={rows} colspan={columns}>x</td>' * 100 + '</tr>'}</table>"


@pytest.mark.parametrize("content", [span(1000, 1000), span(10**9, 1), span(1, "many")])
def test_a_table_whose_spans_would_never_end_is_not_merged_and_said_so(content):
    pages = [page(block("table", content)), page(block("table", content))]
    elements = restructured(*pages)
    assert [warning["code"] for warning in elements[0]["warnings"]] == ["tables_not_merged"]
    assert "warnings" not in elements[1]
    assert elements[1]["prunedResult"]["parsing_res_list"][0]["block_content"]


def test_a_title_without_height_costs_only_the_levels():
    (element,) = restructured(page(block("paragraph_title", "1 Title", bbox=(10, 10, 90, 10))))
    assert element["warnings"][0]["code"] == "titles_not_releveled"
    assert element["markdown"]["text"] == "## 1 Title"
