"""`docs/COMPATIBILITY.md` and the tests that name its numbers hold each other to account."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_difference_on_the_page_is_shown_by_a_test_and_each_shown_is_on_the_page():
    page = (ROOT / "docs" / "COMPATIBILITY.md").read_text(encoding="utf-8")
    told = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    shown = {
        int(number)
        for file in (ROOT / "tests").rglob("test_*.py")
        for numbers in re.findall(
            r"^@pytest\.mark\.difference\((.*)\)$", file.read_text("utf-8"), re.MULTILINE
        )
        for number in numbers.split(",")
    }
    assert told == shown == set(range(1, 11))


def test_each_test_of_a_difference_says_which():
    source = (ROOT / "tests" / "parity" / "test_differences.py").read_text(encoding="utf-8")
    tests = re.findall(r"^(?:@[^\n]*\n(?:[ )\]}][^\n]*\n)*)*(?:async )?def test_\w+", source, re.MULTILINE)
    assert tests
    assert [test for test in tests if "@pytest.mark.difference(" not in test] == []
