"""The pages in docs/ are what the code says, and their examples work."""

import asyncio
import json
import os
import re
import shutil
from itertools import chain
from pathlib import Path

import pytest

from docs import PAGES_FOLDER
from docs.__main__ import PAGES
from docs.api_page import describe, walk
from docs.examples import EXAMPLES
from docs.settings_page import SECTIONS, names_of
from tests.fakes.triton import document_event, page_event, result_message
from tests.fakes.vlm import running_vlm

ROOT = Path(__file__).parents[2]
SOURCES = (
    "gateway",
    "triton_models/docparse",
    "triton_models/model_repository",
    "triton_models/launch",
    "deploy",
)
# What comes back from the fakes is what the example shows, so these are cut out of both.
GENERATED = {"logId"}

OPERATIONS = [(method, path) for path, methods in describe()["paths"].items() for method in methods]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    assert (PAGES_FOLDER / name).read_text("utf-8") == PAGES[name](), "run `make api-docs`"


def test_every_endpoint_has_an_example():
    assert set(EXAMPLES) == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_field_has_a_meaning_and_every_option_a_default(method, path):
    schema = describe()
    operation = schema["paths"][path][method]
    for answer in operation["responses"].values():
        for name, field, _ in walk(answer["content"]["application/json"]["schema"], schema):
            assert field.get("description"), name
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for name, field, required in walk(media["schema"], schema):
            description = field.get("description", "")
            assert description, name
            told = field.get("default") is not None or "Default: " in description
            assert required or told, f"{name} is optional, and its default is not told"


def test_every_setting_is_described_under_each_of_its_names():
    page = (PAGES_FOLDER / "SETTINGS.md").read_text("utf-8")
    for _, _, settings in SECTIONS:
        for name, field in settings.model_fields.items():
            assert field.description, name
            for variable in names_of(settings, name, field):
                assert f"`{variable}`" in page


def test_every_variable_that_the_code_names_is_described():
    page = (PAGES_FOLDER / "SETTINGS.md").read_text("utf-8")
    files = chain.from_iterable((ROOT / source).rglob("*.py") for source in SOURCES)
    named = {
        name for file in files for name in re.findall(r"HPS_[A-Z0-9_]*[A-Z0-9]", file.read_text("utf-8"))
    }
    assert len(named) > 20
    assert {name for name in named if f"`{name}`" not in page} == set()


# The history may name what is no more; a name that ends in _ stands for several.
GUIDES = sorted(
    {ROOT / "README.md", ROOT / "README_zh.md", *ROOT.glob("[a-z]*/*.md"), *ROOT.glob("deploy/**/*.md")}
)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda each: str(each.relative_to(ROOT)))
def test_a_guide_names_no_setting_that_is_not_there(guide):
    page = (PAGES_FOLDER / "SETTINGS.md").read_text("utf-8")
    named = set(re.findall(r"\b(?:HPS|UVICORN)_[A-Z0-9_]*[A-Z0-9]\b", guide.read_text("utf-8")))
    assert {name for name in named if f"`{name}`" not in page} == set()


def without_generated(value):
    if isinstance(value, list):
        return [without_generated(item) for item in value]
    if isinstance(value, dict):
        return {name: without_generated(item) for name, item in value.items() if name not in GENERATED}
    return value


def answering(example):
    """Scripts for the fake Triton: what the example shows."""
    answer, *lines = example.answers
    if lines:
        info, pages = answer["dataInfo"], [line["result"] for line in lines[:-1]]
    else:
        info = answer.get("result", {}).get("dataInfo", {})
        pages = answer.get("result", {}).get("layoutParsingResults", [])

    async def parse(received):
        event = json.loads(document_event(max(len(pages), 1), info.get("type", "image")))
        sizes = info.get("pages") or [{"width": info["width"], "height": info["height"]}]
        event |= {"pages": sizes, "totalPages": info.get("totalPages", 1)}
        yield json.dumps(event | {"renderScale": info.get("renderScale", 2.0)}).encode()
        for index, page in enumerate(pages):
            yield page_event(index, page)

    async def restructure(received):
        return result_message(answer["result"])

    return parse, restructure


async def run_shell(command: str, url: str) -> list[dict]:
    """JSON objects that a command prints, sent to this gateway."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", command.replace("localhost:8080", url.removeprefix("http://"))),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "no_proxy": "*"},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in output.decode().splitlines()]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")
@pytest.mark.parametrize("example", list(chain.from_iterable(EXAMPLES.values())), ids=lambda each: each.title)
async def test_an_example_gives_what_is_shown(start_gateway, triton, example):
    async with running_vlm() as vlm:
        gateway = await start_gateway(vlm_urls=(vlm.url,))
        triton.script, triton.restructure_script = answering(example)
        answers = await run_shell(example.command, gateway.url)
    assert without_generated(answers) == without_generated(list(example.answers))
