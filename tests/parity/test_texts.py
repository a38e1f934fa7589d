"""Whatever the VLM writes about a region of whatever class, its text is treated as PaddleX treats it."""

import pytest

from tests.parity.comparing import assert_same
from tests.parity.samples import every_label, figures_in_tables, image_sample
from tests.parity.services import Models, ask_ours, ask_paddlex

TEXTS = {
    "nothing": "",
    "blanks": " \n ",
    "inline formula": "Where \\(a_1\\) and \\( b \\) are numbers",
    "display formula": "\\[ x^2 \\]",
    "doubled brackets": "\\[\\[ x \\]\\] and \\[y\\]",
    "dollars beside a formula": "It costs $5, \\(x\\) costs $7",
    "dollars": "$$ x $$ and $y$ for $5",
    "half a formula": "\\( never closed, \\] never opened",
    "numbered formula": "\\[ E = mc^2 \\tag{1} \\]",
    "number of a formula": "\\((12)\\)",
    "numbered titles": "1.2.3 Methods",
    "Chinese title": "\u7b2c\u4e00\u7ae0 \u603b\u5219",
    "title that is Markdown": "## Ready made",
    "broken lines": "a hyphen-\nated word\nand a line\n\nand a paragraph",
    "carriage returns": "one\r\ntwo\ttabbed\u3000wide",
    "list": "\u2022 one\n\u2022 two\n- three",
    "abstract": "Abstract: of it",
    "references": "References\n[1] A. Author. 2020.",
    "HTML": '<b>bold</b> & <img src="imgs/a.jpg"> <script>',
    "Markdown": "*a* _b_ `c` [d](e) | f |",
    "chart": "year|value\n2020|1\n2021|2",
    "ragged chart": "year|value|more\n2020|1\n|\n",
    "chart of one line": "no bars",
    "a phrase for ever": "and again " * 40,
    "two letters for ever": "ab" * 100,
    "a line for ever": "the same line\n" * 30,
    "a very long text": "word and more " * 30 + "end",
    "a very long table": "<fcel>again" * 700 + "<nl>",
    "table": "<fcel>a<fcel>b<nl><fcel>1<ecel><nl>",
    "table with spans": "<fcel>a<lcel><fcel>b<nl><ucel><xcel><fcel>c<nl><fcel>1<fcel>2<fcel>3<nl>",
    "ragged table": "<fcel>a<fcel>b<fcel>c<nl><fcel>1<nl><nl><fcel>2<fcel>3",
    "table of one cell": "<fcel>a<nl>",
    "table with formulas": "<fcel>\\(a\\)<fcel>$5<nl><fcel>a < b & c<fcel>\\[b\\]<nl>",
    "table with figures": "<fcel>[F2] [F3]<fcel>[F4][F5]<fcel>[F6]<nl><fcel>[F7]<fcel>[F8]<fcel>[F22] [F99]<nl>",
    "HTML table": "<table><tr><td>a</td></tr></table>",
    "spotting": "one<|LOC_10|><|LOC_10|><|LOC_90|><|LOC_10|><|LOC_90|><|LOC_20|><|LOC_10|><|LOC_20|>"
    "two<|LOC_10|><|LOC_30|><|LOC_90|><|LOC_30|><|LOC_90|><|LOC_40|><|LOC_10|><|LOC_40|>",
    "marked spotting": "<|TEXT_START|>one<|TEXT_END|><|LOC_BEGIN|>"
    + "".join(f"<|LOC_{number}|>" for number in (10, 10, 990, 10, 990, 1000, 10, 1000))
    + "<|LOC_END|>",
    "spotting that ends too soon": "one<|LOC_10|><|LOC_10|>",
}  # fmt: skip
ALL_READ = {
    "useChartRecognition": True, "useSealRecognition": True, "useOcrForImageBlock": True,
    "visualize": False, "returnMarkdownImages": False,
}  # fmt: skip


async def answers(sample, text, options, pool):
    models = Models(sample.pages, reader=lambda prompt, image: text)
    body = sample.body(**options)
    return await ask_ours(models, body, pool), await ask_paddlex(models, body)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_a_text_in_a_region_of_any_class_is_treated_as_in_paddlex(pool, text):
    assert_same(*await answers(every_label(), text, ALL_READ, pool))


@pytest.mark.parametrize(
    "name", ["display formula", "title that is Markdown", "HTML", "chart", "table with spans", "list"]
)
@pytest.mark.parametrize(
    "options",
    [
        {"formatBlockContent": True, "outputFormats": ["docx"]},
        {"prettifyMarkdown": False, "showFormulaNumber": True, "restructurePages": True},
    ],
    ids=["formatted and as Word", "plain and restructured"],
)
async def test_it_is_in_every_form_of_the_answer(pool, name, options):
    assert_same(*await answers(every_label(), TEXTS[name], {**ALL_READ, **options}, pool))


@pytest.mark.parametrize(
    "name", ["nothing", "inline formula", "table with figures", "HTML", "a line for ever"]
)
@pytest.mark.parametrize("read", [True, False], ids=["figures read", "figures not read"])
async def test_it_is_treated_alike_where_tables_show_figures(pool, name, read):
    options = {"useOcrForImageBlock": read, "useSealRecognition": read, "visualize": False}
    assert_same(*await answers(figures_in_tables(), TEXTS[name], options, pool))


@pytest.mark.parametrize(
    "name", ["spotting", "marked spotting", "spotting that ends too soon", "inline formula", "nothing"]
)
async def test_a_spotted_page_is_answered_as_in_paddlex(pool, name):
    options = {"useLayoutDetection": False, "promptLabel": "spotting"}
    assert_same(*await answers(image_sample(width=200, height=160), TEXTS[name], options, pool))
