"""Documents through gateway, Triton and vLLM, to the exact text."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from docparse.crops import encode_crop, fit_sides, resize_to_limits
from docparse.prompts import DEFAULT_MAX_PIXELS, DEFAULT_MIN_PIXELS
from tests.vllm.conftest import SCRIPTS
from tests.vllm.document import document, picture_page

TABLES = {
    "white": [["Item", "Qty"], ["Bolt", "12"]],
    "yellow": [["Total"], ["a", "b"]],
    "cyan": [["only"]],
}


@pytest.fixture(scope="session", params=["stack", "leaning_stack"], ids=["resize", "send"])
def either_stack(request):
    return request.getfixturevalue(request.param)


def contents(page: dict, label: str) -> list[str]:
    blocks = page["prunedResult"]["parsing_res_list"]
    return [block["block_content"] for block in blocks if block["block_label"] == label]


def html(rows: list[list[str]]) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def test_every_region_of_a_document_says_exactly_what_the_model_said(either_stack, parse):
    pages = parse(either_stack, document("white", "yellow", "cyan"), mergeTables=False)
    assert len(pages) == 3
    for page, colour in zip(pages, ("white", "yellow", "cyan"), strict=True):
        assert "warnings" not in page
        assert contents(page, "text") == [SCRIPTS["OCR:"][colour]] * 3
        (table,) = contents(page, "table")
        rows = TABLES[colour]
        assert table == (
            html(rows)
            if colour != "yellow"
            else html(rows).replace("<td>Total</td>", '<td colspan="2">Total</td>')
        )
        formula = SCRIPTS["Formula Recognition:"].get(colour, SCRIPTS["Formula Recognition:"]["*"])
        (read,) = contents(page, "display_formula")
        assert read.replace(" ", "") == formula.replace("\\[", "$$").replace("\\]", "$$").replace(" ", "")
    markdown = pages[1]["markdown"]["text"]
    assert "Yellow page, with Grüße and 世界." in markdown
    assert "\\frac{a}{b}" in markdown


def test_a_page_read_as_a_whole_is_asked_for_by_its_prompt(stack, parse):
    for label, prompt in (("ocr", "OCR:"), ("formula", "Formula Recognition:")):
        (page,) = parse(stack, picture_page("white"), useLayoutDetection=False, promptLabel=label)
        (block,) = page["prunedResult"]["parsing_res_list"]
        expected = SCRIPTS[prompt]["white"].strip("\\[] ")
        assert expected in block["block_content"]
        assert block["block_recognition"]["finish_reason"] == "stop"


def test_many_documents_at_once_do_not_mix(stack, parse):
    papers = ["white", "yellow", "cyan"] * 4
    with ThreadPoolExecutor(len(papers)) as threads:
        answers = list(threads.map(lambda paper: parse(stack, document(paper)), papers))
    for paper, (page,) in zip(papers, answers, strict=True):
        assert contents(page, "text") == [SCRIPTS["OCR:"][paper]] * 3


# Pixel limits: resized here (`resize`) and sent to vLLM (`send`) must come to the same thing.


def prompt_tokens_of(vllm, run) -> float:
    before = vllm.metric("prompt_tokens_total")
    run()
    return vllm.metric("prompt_tokens_total") - before


def test_a_document_costs_the_same_prompt_tokens_either_way(stack, leaning_stack, vllm, parse):
    pdf = document("white", "yellow")
    costs = [prompt_tokens_of(vllm, lambda each=each: parse(each, pdf)) for each in (stack, leaning_stack)]
    assert costs[0] == costs[1] > 1000


@pytest.mark.parametrize(
    "limits",
    [{"maxPixels": 200_000}, {"minPixels": 600_000}, {"minPixels": 300_000, "maxPixels": 320_000}],
    ids=str,
)
def test_limits_of_a_request_decide_how_many_tokens_a_picture_is(either_stack, vllm, parse, limits):
    def cost(**options: int) -> float:
        page = picture_page("white")
        return prompt_tokens_of(
            vllm, lambda: parse(either_stack, page, useLayoutDetection=False, promptLabel="ocr", **options)
        )

    def tokens(lowest: int, highest: int) -> int:
        height, width = fit_sides(400, 600, lowest, highest)
        return height * width // 28**2

    lowest = limits.get("minPixels", DEFAULT_MIN_PIXELS)
    highest = limits.get("maxPixels", DEFAULT_MAX_PIXELS)
    difference = tokens(lowest, highest) - tokens(DEFAULT_MIN_PIXELS, DEFAULT_MAX_PIXELS)
    assert difference != 0
    assert cost(**limits) - cost() == difference


SIDES = [
    (3, 3), (28, 28), (20, 900), (900, 20), (30, 40), (100, 50), (336, 336), (300, 400), (600, 800), (1000, 1000),
    (1003, 1007), (2339, 1654), (40, 4000), (1500, 10), (10, 1900),
]  # fmt: skip


@pytest.mark.parametrize("sides", SIDES, ids=lambda sides: f"{sides[1]}x{sides[0]}")
def test_a_crop_that_was_resized_here_is_worth_the_tokens_that_vllm_would_give_it(vllm, sides):
    crop = np.full((*sides, 3), 255, np.uint8)
    limits = {"min_pixels": DEFAULT_MIN_PIXELS, "max_pixels": DEFAULT_MAX_PIXELS}
    resized = resize_to_limits(crop, DEFAULT_MIN_PIXELS, DEFAULT_MAX_PIXELS)
    here = vllm.complete(encode_crop(resized).decode(), "OCR:")
    there = vllm.complete(encode_crop(crop).decode(), "OCR:", mm_processor_kwargs=limits)
    assert here.status_code == there.status_code == 200, (here.text, there.text)
    assert here.json()["usage"] == there.json()["usage"]
    assert here.json()["choices"][0]["message"] == there.json()["choices"][0]["message"]
