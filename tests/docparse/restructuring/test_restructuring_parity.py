"""The same pages through PaddleX's own service and through ours: equal, but for the differences that are named."""

import base64
import io
import json
import zipfile

import pytest
from PIL import Image

from docparse.restructuring import restructure_pages
from tests.docparse.paddlex_oracle import ask_docparse, ask_paddlex
from tests.docparse.paddlex_service import ask_paddlex_service
from tests.docparse.pages import box, full_page, page

OPTIONS = {
    "mergeTables": "merge_tables", "relevelTitles": "relevel_titles", "concatenatePages": "concatenate_pages",
    "prettifyMarkdown": "prettify_markdown", "showFormulaNumber": "show_formula_number",
    "returnMarkdownImages": "return_markdown_images", "outputFormats": "output_formats",
}  # fmt: skip


def parsed(pages, **parse):
    """Pages as PaddleX's service answers them, as a client sends them back."""
    elements = ask_paddlex(pages, {"visualize": False, **parse}).elements
    return [
        {"prunedResult": each["prunedResult"], "markdownImages": each["markdown"].get("images")}
        for each in elements
    ]


def ask_ours(body):
    options = {OPTIONS[name]: value for name, value in body.items() if name != "pages"}
    return json.loads(restructure_pages(body["pages"], options))["layoutParsingResults"]


async def ask_theirs(body):
    answer = await ask_paddlex_service("/restructure-pages", body)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["layoutParsingResults"]


async def assert_equal(pages, **options):
    body = {"pages": pages, **options}
    ours, theirs = ask_ours(json.loads(json.dumps(body))), await ask_theirs(body)
    exports = [
        (our.pop("exports", None), their.pop("exports", None))
        for our, their in zip(ours, theirs, strict=True)
    ]
    assert ours == theirs
    assert json.dumps(ours, sort_keys=True) == json.dumps(
        theirs, sort_keys=True
    )  # 800 and 800.0 are two kinds
    for our, their in exports:
        assert (our is None) is (their is None) is ("outputFormats" not in options)
        if our is not None:
            assert our["docx"]["fileName"] == their["docx"]["fileName"]
            assert docx_parts(our) == docx_parts(their)
    return ours


def docx_parts(exports):
    """The text and the pictures of a Word document; its other parts are python-docx's template."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(exports["docx"]["content"]))) as archive:
        media = [archive.read(name) for name in sorted(archive.namelist()) if "/media/" in name]
        return archive.read("word/document.xml"), archive.read("word/_rels/document.xml.rels"), media


def long_document(count):
    """Titles of several levels, a table that runs on over every page, and a figure at a different place on each."""
    pages = [
        page(
            box("header", 100, 10, 700, 30),
            box("table", 100 + number, 40, 700 + number, 300),
            box("paragraph_title", 100, 310, 500, 350),
            box("paragraph_title", 100, 360, 500, 378 + number),
            box("display_formula", 100, 400, 500, 440),
            box("formula_number", 600, 400, 700, 440),
            box("image", 100, 450 + number, 700, 600),
            box("table", 100, 650, 700, 930),
            box("number", 400, 960, 440, 980),
            seed=number,
        )
        for number in range(count)
    ]
    pages[0].boxes[1] = box("doc_title", 100, 40, 700, 100)
    return pages


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("concatenate", [True, False])
@pytest.mark.parametrize("merge_tables", [True, False])
@pytest.mark.parametrize("relevel_titles", [True, False])
async def test_a_document_is_restructured_as_paddlex_does(count, concatenate, merge_tables, relevel_titles):
    elements = await assert_equal(
        parsed(long_document(count)),
        concatenatePages=concatenate,
        mergeTables=merge_tables,
        relevelTitles=relevel_titles,
    )
    assert len(elements) == (1 if concatenate else count)
    blocks = [block for each in elements for block in each["prunedResult"]["parsing_res_list"]]
    assert [block["global_block_id"] for block in blocks] == list(range(len(blocks)))
    tables = [block["block_content"] for block in blocks if block["block_label"] == "table"]
    assert tables.count("") == (count - 1 if merge_tables else 0)


@pytest.mark.parametrize("concatenate", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"prettifyMarkdown": False},
        {"showFormulaNumber": True},
        {"returnMarkdownImages": False},
        {"outputFormats": None},
    ],
    ids=str,
)
async def test_each_option_does_what_it_does_in_paddlex(options, concatenate):
    if options == {"outputFormats": None}:
        options = {}
    await assert_equal(parsed(long_document(2)), concatenatePages=concatenate, **options)


@pytest.mark.parametrize("concatenate", [True, False])
async def test_the_word_document_is_the_same(concatenate):
    pages = long_document(3)
    pages[1].boxes.append(box("header_image", 10, 5, 90, 25))
    await assert_equal(parsed(pages), concatenatePages=concatenate, outputFormats=["docx"])


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
async def test_a_picture_that_a_client_changed_is_the_same_in_the_word_document(kind, mode):
    (sent,) = parsed([page(box("image", 10, 10, 200, 200))])
    noise = Image.effect_noise((190, 190), 80).convert(mode)
    buffer = io.BytesIO()
    noise.save(buffer, kind)
    (key,) = sent["markdownImages"]
    sent["markdownImages"][key] = base64.b64encode(buffer.getvalue()).decode()
    await assert_equal([sent], outputFormats=["docx"])


@pytest.mark.parametrize("polygon", [False, True])
@pytest.mark.parametrize(
    "parse",
    [
        {},
        {"format_block_content": True},
        {"use_chart_recognition": True, "use_seal_recognition": True, "use_ocr_for_image_block": True},
        {"use_ocr_for_image_block": True, "format_block_content": True},
        {"markdown_ignore_labels": []},
        {"use_layout_detection": False, "prompt_label": "spotting"},
        {"use_layout_detection": False, "prompt_label": "seal"},
        {"layout_shape_mode": "rect"},
    ],
    ids=str,
)
async def test_every_label_under_every_setting_is_treated_as_in_paddlex(parse, polygon):
    await assert_equal(parsed([full_page(polygon=polygon)], **parse))


async def test_titles_that_were_formatted_get_their_level_anew():
    pages = parsed(long_document(2), format_block_content=True)
    titles = [
        block
        for each in pages
        for block in each["prunedResult"]["parsing_res_list"]
        if block["block_label"] == "paragraph_title"
    ]
    assert all(block["block_content"].startswith("#") for block in titles)
    await assert_equal(pages)


async def test_pages_that_were_restructured_before_can_be_again():
    once = await ask_theirs({"pages": parsed(long_document(3))})
    await assert_equal([{"prunedResult": each["prunedResult"]} for each in once], returnMarkdownImages=False)
    joined = await ask_theirs({"pages": parsed(long_document(3)), "concatenatePages": True})
    await assert_equal(
        [{"prunedResult": joined[0]["prunedResult"], "markdownImages": joined[0]["markdown"]["images"]}]
    )


async def test_no_pages_are_no_results():
    assert await assert_equal([]) == []


@pytest.mark.difference(7)
async def test_no_pages_joined_are_no_results_where_paddlex_fails():
    """PaddleX answers 500."""
    body = {"pages": [], "concatenatePages": True}
    assert (await ask_paddlex_service("/restructure-pages", body)).status_code == 500
    assert ask_ours(body) == []


@pytest.mark.difference(2)
async def test_images_are_an_object_where_none_were_sent():
    """PaddleX leaves `images` out, and clients that index it fail."""
    body = {"pages": [{"prunedResult": parsed([page()])[0]["prunedResult"]}]}
    (theirs,), (ours,) = await ask_theirs(body), ask_ours(body)
    assert "images" not in theirs["markdown"]
    assert ours["markdown"].pop("images") == {}
    assert ours == theirs


@pytest.mark.difference(3)
@pytest.mark.parametrize("concatenate", [True, False])
async def test_figures_in_the_same_place_are_all_kept_where_paddlex_keeps_one(concatenate):
    """A name that repeats gets the page in it, in texts and pictures together."""
    figure = box("image", 10, 10, 200, 200)
    pages = parsed([page(figure, seed=seed) for seed in range(3)])
    body = {"pages": pages, "concatenatePages": concatenate}
    theirs, ours = await ask_theirs(body), ask_ours(body)
    images = {key: data for each in ours for key, data in each["markdown"]["images"].items()}
    text = "".join(each["markdown"]["text"] for each in ours)
    plain = "imgs/img_in_image_box_10_10_200_200.jpg"
    assert list(images) == [plain, plain.replace("_box", "_page_2_box"), plain.replace("_box", "_page_3_box")]
    assert list(images.values()) == [each["markdownImages"][plain] for each in pages]
    assert all(text.count(f'src="{key}"') == 1 for key in images)
    assert [each["prunedResult"] for each in ours] == [each["prunedResult"] for each in theirs]
    if concatenate:
        assert len(theirs[0]["markdown"]["images"]) == 1


@pytest.mark.difference(3)
async def test_figures_inside_tables_are_in_the_word_document_where_paddlex_leaves_them_out():
    figures = [box("image", 120 + shift, 120, 200 + shift, 200) for shift in range(0, 400, 100)]
    (sent,) = parsed([page(box("table", 100, 100, 700, 300), *figures)])
    table = sent["prunedResult"]["parsing_res_list"][0]["block_content"]
    shown = [key for key in sent["markdownImages"] if f'src="{key}"' in table]
    assert shown
    body = {"pages": [sent], "outputFormats": ["docx"]}
    (theirs,), (ours,) = await ask_theirs(body), ask_ours(body)
    assert docx_parts(theirs.pop("exports"))[-1] == []
    assert len(docx_parts(ours.pop("exports"))[-1]) == len(shown)
    assert ours == theirs


async def test_our_own_answers_come_back_as_they_went_out():
    """What /layout-parsing answers, names with pages in them included, is what restructuring shows again."""
    figure, table = box("image", 10, 510, 200, 700), box("table", 100, 100, 700, 300)
    pages = [page(table, box("image", 120, 120, 200, 200), figure, seed=seed) for seed in range(3)]
    first = ask_docparse(pages, {"visualize": False}).elements
    body = {
        "pages": [
            {"prunedResult": each["prunedResult"], "markdownImages": each["markdown"]["images"]}
            for each in first
        ],
        "mergeTables": False,
        "relevelTitles": False,
    }
    again = ask_ours(body)
    assert [each["markdown"] for each in again] == [each["markdown"] for each in first]
    (joined,) = ask_ours({**body, "concatenatePages": True})
    assert joined["markdown"]["images"] == {
        key: data for each in first for key, data in each["markdown"]["images"].items()
    }
    assert joined["markdown"]["text"] == "\n\n".join(each["markdown"]["text"] for each in first)
    (joined_again,) = ask_ours(
        {"pages": [{"prunedResult": joined["prunedResult"], "markdownImages": joined["markdown"]["images"]}]}
    )
    assert joined_again["markdown"] == joined["markdown"]
