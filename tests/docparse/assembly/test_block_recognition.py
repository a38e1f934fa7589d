"""Each block says how it was read; what a reader should doubt is in the page's warnings too."""

import pytest

from docparse.recognition import Recognition
from tests.docparse.assembly.test_failures import parse
from tests.docparse.pages import box, full_page

TEXT = box("text", 10, 10, 300, 100)


def said(element):
    """What the blocks say, by label."""
    blocks = element["prunedResult"]["parsing_res_list"]
    return [(block["block_label"], block.get("block_recognition")) for block in blocks]


def how(finish_reason="stop", retries=0, *, suspect=False):
    return {"finish_reason": finish_reason, "retries": retries, "suspect": suspect}


def test_a_block_that_was_read_at_once_is_above_suspicion():
    element = parse([TEXT], {0: "fine"})
    assert said(element) == [("text", how())]
    assert "warnings" not in element


def test_retries_of_every_kind_are_counted_and_are_no_reason_to_doubt():
    element = parse([TEXT], {0: Recognition("fine", "stop", retries=2, longer_attempts=1)})
    assert said(element) == [("text", how(retries=3))]
    assert "warnings" not in element


@pytest.mark.parametrize(
    ("finish_reason", "code"), [("length", "region_truncated"), ("repetition", "region_repetition")]
)
@pytest.mark.parametrize(("label", "text"), [("text", "half of"), ("table", "<fcel>a<fcel>b<nl>")])
def test_a_text_that_did_not_end_by_itself_is_kept_and_suspect(label, text, finish_reason, code):
    element = parse([TEXT, box(label, 10, 300, 600, 500)], {0: "fine", 1: Recognition(text, finish_reason)})
    assert said(element) == [("text", how()), (label, how(finish_reason, suspect=True))]
    assert element["prunedResult"]["parsing_res_list"][1]["block_content"]
    (warning,) = element["warnings"]
    assert warning.pop("message").startswith(f"Region 1 ({label}): ")
    assert warning == {"code": code, "blockId": 1, "blockBbox": [10, 300, 600, 500]}


@pytest.mark.parametrize("failed", [None, Recognition("", "error", 2, "The VLM server failed 3 times.")])
def test_a_region_without_a_text_is_suspect(failed):
    element = parse([TEXT], {} if failed is None else {0: failed})
    assert said(element) == [("text", how("error", 2 if failed else 0, suspect=True))]
    assert [warning["code"] for warning in element["warnings"]] == ["region_failed"]


@pytest.mark.parametrize(
    ("label", "text"),
    [("text", "again and " * 40), ("text", "a line\n" * 12), ("table", "<fcel>spam and eggs" * 400)],
    ids=["phrase", "line", "table"],
)
def test_a_text_from_which_repetition_was_cut_is_suspect_though_it_ended_by_itself(label, text):
    element = parse([box(label, 10, 10, 300, 100)], {0: text})
    assert said(element) == [(label, how(suspect=True))]


def test_a_table_that_repeats_as_tables_do_is_not():
    assert said(parse([box("table", 10, 10, 300, 100)], {0: "<fcel>a<nl>" * 100})) == [("table", how())]


def test_a_picture_that_nobody_read_says_nothing():
    element = parse([TEXT, box("image", 10, 300, 300, 400)], {0: "fine"})
    assert said(element) == [("text", how()), ("image", None)]
    assert "block_recognition" not in element["prunedResult"]["parsing_res_list"][1]


def test_a_picture_that_was_read_as_well_says_how():
    wire = {"use_ocr_for_image_block": True}
    element = parse([box("image", 10, 300, 300, 400)], {0: Recognition("half", "length")}, wire)
    assert said(element) == [("image", how("length", suspect=True))]


@pytest.mark.parametrize(
    "wire", [{"format_block_content": True}, {"layout_shape_mode": "rect"}, {"output_formats": ["docx"]}], ids=str
)  # fmt: skip
def test_every_block_that_was_read_says_so_whatever_else_is_asked_for(wire):
    boxes = full_page().boxes
    element = parse(boxes, dict.fromkeys(range(len(boxes)), "fine"), wire)
    assert all(recognition == how() for _, recognition in said(element))


def test_a_block_that_was_read_with_the_one_it_continues_says_nothing_of_its_own():
    boxes = [box("text", 100, 100, 380, 480), box("text", 420, 100, 700, 480)]
    element = parse(boxes, {0: "both of them"})
    assert said(element) == [("text", how()), ("text", None)]
    assert "warnings" not in element
