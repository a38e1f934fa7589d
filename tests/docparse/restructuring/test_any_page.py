"""Whatever a page of the right shape holds, it is answered."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docparse.layout.labels import LABELS
from docparse.restructuring import restructure_pages

SIDE = st.one_of(st.integers(-50, 3000), st.floats(-1e7, 1e7))
TABLE = "<table><tr><td>a</td><td rowspan=2>b</td></tr><tr><td>c</td></tr></table>"
CONTENT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            TABLE,
            "<table>",
            "<tr><td colspan=-1>",
            "# 1.2 Title",
            "a|b\n1|2",
            '<img src="imgs/a.jpg">',
            "\\[x\\]",
        ]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
BLOCK = st.fixed_dictionaries(
    {
        "block_label": st.one_of(
            st.sampled_from([*LABELS, "formula", "ocr", "spotting"]), st.text(max_size=8)
        ),
        "block_content": CONTENT,
        "block_bbox": st.lists(SIDE, min_size=4, max_size=4),
    },
    optional={"block_polygon_points": JSON, "group_id": JSON, "block_id": JSON, "image": JSON, "more": JSON},
)
FLAGS = (
    "use_doc_preprocessor", "use_layout_detection", "use_chart_recognition", "use_seal_recognition",
    "use_ocr_for_image_block", "format_block_content",
)  # fmt: skip
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FLAGS, JSON),
        "markdown_ignore_labels": st.one_of(st.none(), st.lists(st.sampled_from(LABELS), max_size=3)),
    },
)
PAGE = st.fixed_dictionaries(
    {
        "prunedResult": st.fixed_dictionaries(
            {
                "width": st.one_of(st.integers(1, 3000), st.floats(1, 1e7)),
                "height": st.one_of(st.integers(1, 3000), st.floats(1, 1e7)),
                "model_settings": SETTINGS,
                "parsing_res_list": st.lists(BLOCK, max_size=5),
            },
            optional={
                "page_count": JSON, "layout_det_res": JSON, "doc_preprocessor_res": JSON, "spotting_res": JSON,
            },
        )
    },
    optional={"markdownImages": st.one_of(st.none(), st.dictionaries(st.text(max_size=9), st.text(max_size=9)))},
)  # fmt: skip
OPTIONS = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            "merge_tables", "relevel_titles", "concatenate_pages", "prettify_markdown", "show_formula_number",
            "return_markdown_images",
        )
    },
    optional={"output_formats": st.just(["docx"])},
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(pages=st.lists(PAGE, max_size=4), options=OPTIONS)
def test_any_pages_of_the_right_shape_are_answered_with_every_block_and_picture(pages, options):
    elements = json.loads(restructure_pages(pages, options))["layoutParsingResults"]
    assert len(elements) == (bool(pages) if options["concatenate_pages"] else len(pages))
    answered = [block for each in elements for block in each["prunedResult"]["parsing_res_list"]]
    assert len(answered) == sum(len(page["prunedResult"]["parsing_res_list"]) for page in pages)
    if options["return_markdown_images"]:
        pictures = [text for each in elements for text in each["markdown"]["images"].values()]
        assert pictures == [text for page in pages for text in (page.get("markdownImages") or {}).values()]
