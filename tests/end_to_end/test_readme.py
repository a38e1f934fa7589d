"""The README's lines work as pasted, and both READMEs say the same."""

import json
import re
import subprocess

import pytest

from tests.end_to_end.conftest import ROOT

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shell_lines(name: str) -> list[str]:
    blocks = _BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.splitlines()]


def curl_lines(name: str) -> list[str]:
    return [line for line in shell_lines(name) if "curl" in line]


def test_the_readmes_have_the_same_commands():
    # What `make` does is said in a comment, in the language of the file.
    english, chinese = ([re.sub(r"\s+# .*", "", line) for line in shell_lines(name)] for name in READMES)
    assert english == chinese


READMES = ("README.md", "README_zh.md")


@pytest.mark.parametrize("line", curl_lines("README.md"))
def test_a_curl_line_of_the_readme_works_as_pasted(stack, line):
    here = line.replace("localhost:8080", stack.url.removeprefix("http://"))
    assert here != line
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    if "markdown" in line:
        assert run.stdout.startswith("# How Often Must a Garden Pond Be Topped Up?")
        return
    answers = [json.loads(answer) for answer in run.stdout.splitlines()]
    assert answers
    assert all(answer.get("errorCode", 0) == 0 for answer in answers)
    if "layout-parsing" in line:
        assert "block_content" in run.stdout


@pytest.mark.parametrize("name", READMES)
def test_the_clients_have_the_versions_that_are_installed_for_the_tests(name):
    wanted = "\n".join(
        file.read_text("utf-8") for file in (ROOT / "requirements" / "clients").glob("*.in")
    ).lower()
    pinned = re.findall(r"^([a-z-]+)(?:\[[^]]*\])?==([0-9.]+)", wanted, re.MULTILINE)
    assert len(pinned) >= 3
    table = (ROOT / name).read_text("utf-8").lower()
    assert [f"{client} {version}" for client, version in pinned if f"{client} {version}" not in table] == []
