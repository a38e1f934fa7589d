import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docparse.repetition import TABLE_RULES, TEXT_RULES, RepetitionWatch, cut_loop, find_loop

WORDS = "The pump at the north gate had been repaired in February at a cost of 340 pounds. "
ROW = "<ecel>" * 20 + "<nl>"
TEXT_RULE, TABLE_RULE = TEXT_RULES.stream, TABLE_RULES.stream


@pytest.mark.parametrize("unit", ["a", "ab", "spam and eggs, ", "第一章 总则。", WORDS])
def test_a_loop_is_found_and_cut_to_one_turn(unit):
    text = "Before it. " + unit * (4000 // len(unit))
    place = find_loop(text, TEXT_RULE)
    assert place is not None
    assert text[:place].startswith("Before it. " + unit[:1])
    assert len(text[:place]) <= len("Before it. ") + 2 * len(unit)


def test_a_loop_is_noticed_long_before_the_token_limit():
    watch = RepetitionWatch(TEXT_RULE)
    fed = 0
    while not watch.feed("spam and eggs, "):
        fed += 1
        assert fed < 120
    assert len(watch.text) < 1800


@pytest.mark.parametrize(
    "text",
    [
        "Contents " + "." * 200 + " 17\n",
        "Name: ____________\nDate: ____________\n" * 6,
        "0.0 0.0 0.0 0.0 0.0\n" * 25,
        WORDS * 3,
    ],
    ids=["leader dots", "form", "zeros", "said thrice"],
)
def test_what_print_repeats_on_purpose_is_no_loop(text):
    assert find_loop(text, TEXT_RULE) is None


def test_an_empty_form_of_sixty_rows_is_no_loop_but_a_table_without_end_is():
    head = "<fcel>Item<fcel>Qty<nl>"
    assert find_loop(head + ROW * 60, TABLE_RULE) is None
    endless = head + ROW * 200
    assert cut_loop(endless, "table", known=False) in (head + ROW, head + ROW + ROW)
    assert cut_loop(head + ROW * 60, "table", known=False) == head + ROW * 60


@pytest.mark.parametrize("head", ["<fcel>a", "<fcel>", "<fcel>a<nl><fcel>"])
def test_cells_without_end_in_one_row_are_cut_to_whole_cells(head):
    cut = cut_loop(head + "<ecel>" * 3000 + "<ec", "table", known=False)
    assert cut.startswith(head)
    assert cut.removeprefix(head) in ("", "<ecel>")


@pytest.mark.parametrize("begun", ["", "<ecel>" * 19, "<ecel>" * 7 + "<e"])
def test_a_loop_of_rows_is_cut_as_rows_wherever_the_engine_stopped(begun):
    """The end of the last row is a loop of cells as well."""
    head = "<fcel>Item<fcel>Qty<nl>"
    cut = cut_loop(head + ROW * 70 + begun, "table", known=True)
    assert cut in (head + ROW, head + ROW + ROW)


def test_a_text_that_the_engine_stopped_is_cut_though_it_is_shorter_than_we_would_wait():
    looped = "Before it. " + "再见了。" * 80
    assert cut_loop(looped, "text", known=False) == looped
    assert cut_loop(looped, "text", known=True) == "Before it. 再见了。"


@pytest.mark.parametrize("text", ["", "a", "said once and for all", "again " * 4])
@pytest.mark.parametrize("label", ["text", "table"])
def test_a_text_in_which_no_loop_is_found_stays_though_the_engine_stopped_it(text, label):
    assert cut_loop(text, label, known=True) == text


def test_a_watch_keeps_everything_it_was_fed():
    watch = RepetitionWatch(TEXT_RULE)
    pieces = ["one ", "", "two ", "three " * 60, "four"]
    for piece in pieces:
        watch.feed(piece)
    assert watch.text == "".join(pieces)
    assert watch.text == "".join(pieces)


@given(st.text(alphabet=string.ascii_letters + " .,", min_size=0, max_size=400), st.integers(0, 1000))
def test_a_text_that_does_not_loop_is_left_alone(start, seed):
    words = random.Random(seed)
    text = start + " ".join("".join(words.choices(string.ascii_lowercase, k=5)) for _ in range(400))
    assert find_loop(text, TEXT_RULE) is None


@given(st.text(alphabet="abcdef \n", min_size=1, max_size=60), st.integers(0, 100))
def test_every_short_unit_is_found_wherever_the_text_was_cut(unit, cut):
    text = "x" + unit * (2400 // len(unit) + 12)
    assert find_loop(text[: len(text) - cut], TEXT_RULE) is not None
