"""The same bytes, regions and texts through PaddleX's own service and through ours give the same HTTP answer."""

import pytest

from docparse.labels import PROMPT_LABELS
from docparse.layout.labels import LABELS
from tests.docparse.pages import box
from tests.parity.comparing import assert_same
from tests.parity.samples import SAMPLES, book, every_label, figures_in_tables, frames, image_sample
from tests.parity.services import Models, ask_ours, ask_paddlex

OPTIONS = {
    "default": {},
    "plain Markdown": {"prettifyMarkdown": False, "showFormulaNumber": True},
    "formatted": {"formatBlockContent": True},
    "unmerged": {"mergeLayoutBlocks": False},
    "charts read": {"useChartRecognition": True},
    "seals read": {"useSealRecognition": True},
    "images read": {"useOcrForImageBlock": True},
    "all read": {
        "useChartRecognition": True, "useSealRecognition": True, "useOcrForImageBlock": True,
        "formatBlockContent": True,
    },
    "all read, plain": {
        "useChartRecognition": True, "useSealRecognition": True, "useOcrForImageBlock": True,
        "prettifyMarkdown": False, "mergeLayoutBlocks": False,
    },
    "nothing ignored": {"markdownIgnoreLabels": [], "visualize": False},
    "others ignored": {"markdownIgnoreLabels": ["text", "image", "table", "no such label"]},
    "rectangles": {"layoutShapeMode": "rect"},
    "polygons": {"layoutShapeMode": "poly"},
    "quadrangles": {"layoutShapeMode": "quad", "visualize": False},
    "text only": {"returnMarkdownImages": False, "visualize": False},
    "not visualized": {"visualize": False},
    "pixels": {"minPixels": 50_000, "maxPixels": 60_000, "visualize": False},
    "pixels per task": {
        "maxPixels": 600_000, "vlmExtraArgs": {"table_max_pixels": 700_000, "ocr_min_pixels": 100},
    },
    "Word": {"outputFormats": ["docx"], "visualize": False},
    "Word, all read": {
        "outputFormats": ["docx"], "useChartRecognition": True, "useSealRecognition": True,
        "useOcrForImageBlock": True, "returnMarkdownImages": False,
    },
    "no formats": {"outputFormats": []},
    "restructured": {"restructurePages": True},
    "restructured, tables apart": {"restructurePages": True, "mergeTables": False},
    "restructured, levels kept": {
        "restructurePages": True, "relevelTitles": False, "outputFormats": ["docx"], "visualize": False,
    },
    "restructured, formatted": {"restructurePages": True, "formatBlockContent": True},
    "joining not asked for": {"mergeTables": True, "relevelTitles": True},
    "nulls": dict.fromkeys(
        ("useDocOrientationClassify", "useDocUnwarping", "useLayoutDetection", "useChartRecognition",
         "useSealRecognition", "useOcrForImageBlock", "layoutThreshold", "layoutNms", "layoutUnclipRatio",
         "layoutMergeBboxesMode", "promptLabel", "formatBlockContent", "repetitionPenalty", "temperature",
         "topP", "minPixels", "maxPixels", "maxNewTokens", "mergeLayoutBlocks", "markdownIgnoreLabels",
         "vlmExtraArgs", "outputFormats", "visualize")
    ),
    "a long name": {"logId": "x" * 3000},
    "unknown field": {"pageNumber": 3, "visualize": False},
}  # fmt: skip


# Each document under the options that touch what is special about it; every option with every label.
CASES = [
    *(("every label", options) for options in OPTIONS),
    *(("every label, outlined", options) for options in (
        "default", "unmerged", "rectangles", "polygons", "all read", "Word", "Word, all read",
    )),
    *(("figures in tables", options) for options in (
        "default", "plain Markdown", "formatted", "seals read", "images read", "all read", "all read, plain", "Word",
    )),
    *(("TIFF", options) for options in ("default", "charts read", "all read", "nothing ignored", "Word")),
    *(("PDF", options) for options in (
        "default", "plain Markdown", "restructured", "restructured, tables apart", "restructured, levels kept",
        "restructured, formatted", "Word", "not visualized",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "options"), CASES)
async def test_a_document_is_answered_as_paddlex_does(pool, sample, options):
    await assert_answered_alike(SAMPLES[sample](), OPTIONS[options], pool)


async def test_a_figure_larger_than_the_answer_shows_any_is_in_the_word_document_in_its_full_size(pool):
    sample = image_sample(box("image", 10, 10, 2390, 190), width=2400, height=200)
    await assert_answered_alike(sample, {"outputFormats": ["docx"]}, pool)


@pytest.mark.parametrize(
    ("sample", "label"),
    [
        *((image_sample(width=400, height=300), label) for label in PROMPT_LABELS),
        # A page of a PDF that is a seal is in `test_differences`: its picture needs a name of its own.
        (book(), "table"),
    ],
    ids=[*PROMPT_LABELS, "PDF"],
)
async def test_a_document_without_layout_detection_is_answered_as_paddlex_does(pool, sample, label):
    options = {"useLayoutDetection": False, "promptLabel": label, "outputFormats": ["docx"]}
    answer = await assert_answered_alike(sample, options, pool)
    for element in answer["result"]["layoutParsingResults"]:
        (block,) = element["prunedResult"]["parsing_res_list"]
        assert block["block_label"] == label
        assert list(element["outputImages"]) == (["spotting_res_img"] if label == "spotting" else [])


@pytest.mark.parametrize("restructure", [True, False])
async def test_the_label_of_the_page_is_ocr_and_means_nothing_where_regions_are_found(pool, restructure):
    options = {"useLayoutDetection": False, "restructurePages": restructure, "formatBlockContent": True}
    await assert_answered_alike(image_sample(width=1600, height=1200), options, pool)
    await assert_answered_alike(frames(), {"promptLabel": "table", "visualize": False}, pool)


async def assert_answered_alike(sample, options, pool, **models):
    models = Models(sample.pages, **models)
    body = sample.body(**options)
    theirs = await ask_paddlex(models, body)
    ours = await ask_ours(models, body, pool)
    answer = assert_same(ours, theirs)
    assert sorted(models.asked) == sorted(models.vlm.asked)
    return answer


async def test_the_documents_are_what_they_are_for(pool):
    """Else all of this could be equal and say nothing."""
    assert {each.label for each in every_label().pages[0]} == set(LABELS)
    joined = await assert_answered_alike(book(), {"restructurePages": True, "visualize": False}, pool)
    tables = [
        block["block_content"]
        for element in joined["result"]["layoutParsingResults"]
        for block in element["prunedResult"]["parsing_res_list"]
        if block["block_label"] == "table"
    ]
    assert [bool(table) for table in tables] == [True, False, False]
    shown = await assert_answered_alike(figures_in_tables(), {}, pool)
    (element,) = shown["result"]["layoutParsingResults"]
    tables = [
        block["block_content"]
        for block in element["prunedResult"]["parsing_res_list"]
        if block["block_label"] == "table"
    ]
    assert all("<img src=" in table for table in tables)
