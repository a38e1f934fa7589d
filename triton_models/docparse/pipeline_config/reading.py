"""Reads the file: YAML to `PipelineConfig`, with errors that name the key by its path."""

import difflib
from collections.abc import Hashable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from docparse.pipeline_config.schema import LayoutModel, PipelineConfig, Section

_FOLDER = Path(__file__).parent

_SHIPPED: dict[LayoutModel, Path] = {
    "PP-DocLayoutV2": _FOLDER / "PaddleOCR-VL.yaml",
    "PP-DocLayoutV3": _FOLDER / "PaddleOCR-VL-1.5.yaml",
}


class PipelineConfigError(Exception):
    """The file cannot be used.

    Attributes:
        problems: sentences, each of which names the file and the key.
    """

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = [f"HPS_PIPELINE_CONFIG ({path}): {problem}" for problem in problems]
        super().__init__(" ".join(self.problems))


def read_pipeline_config(path: Path | None, layout_model: LayoutModel | None = None) -> PipelineConfig:
    """The file laid over the values that PaddleOCR-VL ships.

    Args:
        path: of the file; None for the shipped values alone.
        layout_model: where something else than the file decides it.

    Raises:
        PipelineConfigError: the file is not there, is no YAML, or holds what it must not.
    """
    given = PipelineConfig() if path is None else parse_pipeline_config(path)
    if layout_model not in _SHIPPED:  # nobody's, or wrong; the settings will say so
        layout_model = _layout_model(given)
    return given.over(_shipped(layout_model))


def parse_pipeline_config(path: Path) -> PipelineConfig:
    """The file alone. Raises PipelineConfigError."""
    try:
        return PipelineConfig.model_validate(_load(path))
    except ValidationError as error:
        problems = [_sentence(each) for each in error.errors(include_url=False)]
        raise PipelineConfigError(path, problems) from None


def find_unused_keys(path: Path) -> list[str]:
    """Paths of keys that are PaddleX's, but do nothing here."""
    return list(_unused_keys(_load(path), PipelineConfig, ""))


def _layout_model(given: PipelineConfig) -> LayoutModel:
    if given.layout.model_name is not None:
        return given.layout.model_name
    return "PP-DocLayoutV2" if given.pipeline_name in (None, "PaddleOCR-VL") else "PP-DocLayoutV3"


@cache
def _shipped(layout_model: LayoutModel) -> PipelineConfig:
    return parse_pipeline_config(_SHIPPED[layout_model])


class _Loader(yaml.SafeLoader):
    """YAML, in which a key that stands twice is an error: the first would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def _load(path: Path) -> Any:
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  it is a SafeLoader
    except OSError as error:
        raise PipelineConfigError(path, [f"cannot be read: {error.strerror}."]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PipelineConfigError(path, [f"is no YAML: {' '.join(str(error).split())}."]) from error
    if loaded is not None and not isinstance(loaded, dict):
        raise PipelineConfigError(path, ["must be a mapping of keys to values."])
    return loaded or {}


def _sentence(problem: ErrorDetails) -> str:
    place = [str(step) for step in problem["loc"]]
    if problem["type"] == "class_value" and problem["ctx"]["key"]:
        place.append(problem["ctx"]["key"])
    path = ".".join(place)
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{_suggestion(place)}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "model_type":
        message = "must be a mapping"
    shown = "; got " not in message and place[-1] != "api_key"
    given = f"; got {problem['input']!r}" if shown else ""
    return f"{path}: {message[:1].lower()}{message[1:]}{given}."


def _suggestion(place: Sequence[str]) -> str:
    """What may have been meant, among the keys that may stand there."""
    section: type[Section] = PipelineConfig
    for step in place[:-1]:
        section = _children(section)[step]
    names = [field.alias or name for name, field in section.model_fields.items()]
    close = difflib.get_close_matches(place[-1], names, n=1)
    return f"; did you mean {close[0]}?" if close else "."


def _children(section: type[Section]) -> dict[str, type[Section]]:
    """The sections that may stand in one."""
    kinds = {field.alias or name: field.annotation for name, field in section.model_fields.items()}
    return {
        name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Section)
    }


def _unused_keys(given: Any, section: type[Section], path: str) -> Iterator[str]:
    if not isinstance(given, dict):
        return
    children = _children(section)
    for key, value in given.items():
        if key in section.unused:
            yield f"{path}{key}"
        elif key in children:
            yield from _unused_keys(value, children[key], f"{path}{key}.")
