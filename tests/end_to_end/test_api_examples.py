"""The examples of docs/API.md, run against the real tiers: they answer in the shape that the page shows."""

import json
import subprocess
from itertools import chain

import pytest

from docs.examples import EXAMPLES
from tests.end_to_end.conftest import ROOT


def assert_like(real, shown, where="answer"):
    """All that is shown is there, of the same type; of a list its first item is looked at."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), where
        for name, value in shown.items():
            assert name in real, f"{where}.{name}"
            assert_like(real[name], value, f"{where}.{name}")
    elif isinstance(shown, list):
        assert isinstance(real, list), where
        if shown:
            assert real, where
            assert_like(real[0], shown[0], f"{where}[0]")
    elif isinstance(shown, int | float):
        assert isinstance(real, int | float), where
    else:
        assert type(real) is type(shown), where


@pytest.mark.parametrize(
    "example", list(chain.from_iterable(EXAMPLES.values())), ids=lambda example: example.title
)
def test_an_example_is_answered_in_the_shape_that_is_shown(stack, example):
    command = example.command.replace("localhost:8080", stack.url.removeprefix("http://"))
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, capture_output=True, check=True, timeout=120
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(example.answers)
    for real, shown in zip(answers, example.answers, strict=True):
        assert_like(real, shown)
        assert real.get("errorCode") == shown.get("errorCode")
        assert real.get("errorMsg") == shown.get("errorMsg")
