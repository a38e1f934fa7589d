"""The check of a run against what is promised."""

import pytest

from benchmarks.parts.all import PARTS
from benchmarks.promises import PROMISES, Measured, find_broken
from benchmarks.report import render_table

KEPT = {promise.key: promise.bound for promise in PROMISES}


def measured(**changed: float) -> list[Measured]:
    return [Measured(key, changed.get(key, value)) for key, value in KEPT.items()]


def test_figures_at_their_bounds_keep_every_promise():
    assert find_broken(measured()) == []


@pytest.mark.parametrize(
    "promise", [each for each in PROMISES if each.kind != "shown"], ids=lambda each: each.key
)
def test_a_figure_on_the_wrong_side_breaks_its_promise_and_no_other(promise):
    wrong = promise.bound - 0.01 if promise.kind == "least" else promise.bound + 0.01
    assert find_broken(measured(**{promise.key: wrong})) == [promise]


def test_seconds_are_shown_and_never_compared():
    shown = {promise.key for promise in PROMISES if promise.kind == "shown"}
    assert shown == {"gateway_added_ms", "single_pages"}
    assert find_broken([Measured("gateway_added_ms", 1e9)]) == []


def test_what_was_not_measured_is_not_judged():
    assert find_broken([]) == []


def test_a_figure_that_nobody_promised_is_an_error():
    with pytest.raises(KeyError):
        find_broken([Measured("unheard-of", 1.0)])


def test_the_table_has_a_row_for_each_figure_and_says_which_promise_is_broken():
    table = render_table(
        [Measured("busy", 0.5, 0.5, 0.25, "of the limit", "a note"), Measured("memory", 1.1)]
    )
    rows = table.splitlines()
    assert len(rows) == 4
    assert "a note" in rows[2]
    assert "0.25 of the limit" in rows[2]
    assert rows[2].endswith("| **no** |")
    assert rows[3].endswith("| yes |")


def test_parts_that_need_the_same_services_follow_one_another():
    needs = [part.needs for part in PARTS if part.needs != "own"]
    assert needs == sorted(needs)
    assert len({part.name for part in PARTS}) == len(PARTS)
