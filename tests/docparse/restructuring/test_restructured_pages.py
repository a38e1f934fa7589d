"""What PaddleX has no answer to: bad pages, odd names, tables that would never end."""

import pytest

from docparse.errors import InvalidOption, InvalidPages
from tests.docparse.restructuring.made_pages import PLAIN, block, page, restructured


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


def test_how_a_block_was_read_stays_with_it_and_other_fields_go_as_in_paddlex():
    pages = [page(block(block_recognition={"page": n}, input_path="/a", more=1), block()) for n in range(2)]
    (joined,) = restructured(*pages, concatenate_pages=True)
    blocks = joined["prunedResult"]["parsing_res_list"]
    assert [each.get("block_recognition") for each in blocks] == [{"page": 0}, None, {"page": 1}, None]
    assert not [each for each in blocks if {"input_path", "more"} & set(each)]


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
