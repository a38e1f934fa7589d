""".env.example, and what compose.yaml passes on to each container: from the settings classes and the compose files."""

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from docs.settings_page import CONTAINERS, SECTIONS, names_of, plain_default

_ROOT = Path(__file__).resolve().parents[1]
_STACKS = sorted((_ROOT / "deploy" / "compose").glob("*.yaml"))
_COMMENT_WIDTH = 118
_GATEWAY = ("Gateway",)
_TRITON = (
    "Pipeline configuration file",
    "Pipeline in Triton",
    "Layout detection",
    "Document preprocessing",
    "Image store",
    "Triton's launcher",
)
# What the containers have in place of a setting's own default, which is for tiers on one machine.
_IN_CONTAINERS = {"HPS_VLM_URLS": "http://paddleocr-vlm-server:8080"}
# Set for good by compose.yaml or an image, where another value could only break it.
_FIXED = frozenset(
    {
        "HPS_ADMISSION_FILE",
        "HPS_HOST",
        "HPS_IMAGE_STORE_DIR",
        "HPS_SPOOL_DIR",
        "HPS_TRITON_DIR",
        "HPS_TRITON_GRPC_PORT",
        "HPS_TRITON_HOST",
        "HPS_TRITON_HTTP_PORT",
        "HPS_TRITON_METRICS_PORT",
        "HPS_TRITON_URL",
    }
)
_FOR_OTHERS = "Fixed in the containers; for tiers that you start yourself"
_INTRODUCTION = """\
# Every setting, with its default. Copy this file to .env (./prepare.sh does) and take away the # of what you change.
# Written by `make api-docs` from the settings classes; docs/SETTINGS.md has the same as tables, with types and bounds.
# The older names of PaddleOCR's service and the newer ones both work; where a setting has two, "Also" names the other.
"""


def render_env_example() -> str:
    """The whole file."""
    parts, seen = [_INTRODUCTION], set[str]()
    for title, fields in [*_sections(), (_FOR_OTHERS, list(_fixed()))]:
        entries = []
        for names, entry in fields:
            if names[0] not in seen:
                entries.append(entry)
            seen.update(names)
        if entries:
            parts.append("\n".join([f"# ---- {title} {'-' * (_COMMENT_WIDTH - len(title) - 8)}\n", *entries]))
    return "\n".join(parts)


def render_compose() -> str:
    """compose.yaml with the blocks between its markers written anew."""
    text = (_ROOT / "compose.yaml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    for marker, service, titles in (
        ("gateway", "paddleocr-vl-api", _GATEWAY),
        ("triton", "paddleocr-vl-tritonserver", _TRITON),
    ):
        block = re.compile(rf"(?P<indent> *)# <{marker}>\n.*?(?P<end> *# </{marker}>)", re.DOTALL)
        written = {name for name, value in services[service]["environment"].items() if value is not None}
        names = _passed_on(titles) - written - _FIXED - _given_by_stacks(service)
        if marker == "gateway":
            names.discard("HPS_PORT")  # there it is the port inside
        lines = "".join(f"      {name}:\n" for name in sorted(names))
        text = block.sub(rf"\g<indent># <{marker}>\n{lines}\g<end>", text)
    return text


def _sections() -> Iterator[tuple[str, list[tuple[list[str], str]]]]:
    for title, _, settings in (CONTAINERS, *SECTIONS):
        yield (
            title,
            [(names, entry) for names, entry in _entries(settings) if names[0] not in _FIXED],
        )


def _fixed() -> Iterator[tuple[list[str], str]]:
    for _, _, settings in SECTIONS:
        yield from _entries(settings)


def _entries(settings: type[BaseSettings]) -> Iterator[tuple[list[str], str]]:
    schemas = settings.model_json_schema(by_alias=False)["properties"]
    for name, field in settings.model_fields.items():
        names = names_of(settings, name, field)
        meaning, value = plain_default(schemas[name])
        value = _IN_CONTAINERS.get(names[0], value)
        stacks = {
            stack: given for stack, given in _stack_defaults().get(names[0], {}).items() if given != value
        }
        if stacks:
            meaning += (
                " In the stack " + ", ".join(f"{stack}: {given}" for stack, given in stacks.items()) + "."
            )
        if names[1:]:
            meaning += f" Also: {', '.join(names[1:])}."
        comment = textwrap.wrap(meaning, _COMMENT_WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield names, "\n".join([*comment, f"# {names[0]}={value}\n"])


def _passed_on(titles: tuple[str, ...]) -> set[str]:
    return {
        variable
        for title, _, settings in SECTIONS
        if title in titles
        for name, field in settings.model_fields.items()
        for variable in names_of(settings, name, field)
    }


@cache
def _stack_environments() -> dict[str, dict[str, dict[str, Any]]]:
    """For each stack, the environment that its file gives to each service."""
    return {
        file.stem: {
            name: service.get("environment", {})
            for name, service in yaml.safe_load(file.read_text("utf-8"))["services"].items()
        }
        for file in _STACKS
    }


def _given_by_stacks(service: str) -> set[str]:
    return {name for stack in _stack_environments().values() for name in stack.get(service, {})}


@cache
def _stack_defaults() -> dict[str, dict[str, str]]:
    """What a stack has in place of a setting's own default."""
    found: dict[str, dict[str, str]] = {}
    for stack, services in _stack_environments().items():
        for name, value in services.get("paddleocr-vl-tritonserver", {}).items():
            given = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", str(value))
            if given:
                found.setdefault(name, {})[stack] = given[1]
    return found
