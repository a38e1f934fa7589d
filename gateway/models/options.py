"""Types and checks of the options that are more than a plain number or switch.

Each check gets what was in the JSON and returns the value in its one normal form, or raises ValueError with the
rest of a sentence that begins with the field's name.
"""

import math
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from gateway.models.labels import LABELS, label_of

MERGE_MODES = ("large", "small", "union")
EXPORT_FORMATS = ("docx",)
_PART = "[0-9]{1,7}(-[0-9]{1,7})?"
PAGE_RANGES = re.compile(f"{_PART}(,{_PART})*")


def _number(value: object) -> float:
    if isinstance(value, str):  # "0.5" is taken in the plain fields too, and by PaddleX in all
        try:
            value = float(value)
        except ValueError:
            raise ValueError("must be a number") from None
    if not isinstance(value, (int, float)) or not math.isfinite(value):  # true is 1, as PaddleX takes it
        raise ValueError("must be a number")
    return float(value)


def _threshold(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"must be between 0 and 1; got {number:g}")
    return number


def _ratio(value: object) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError(f"must be greater than 0; got {number:g}")
    return number


def _ratio_or_pair(value: object) -> float | tuple[float, float]:
    if not isinstance(value, (list, tuple)):
        return _ratio(value)
    if len(value) != 2:
        raise ValueError(f"must be one number or two [width, height]; got {len(value)} values")
    return _ratio(value[0]), _ratio(value[1])


def _merge_mode(value: object) -> str:
    if value not in MERGE_MODES:
        raise ValueError(f"must be one of {', '.join(MERGE_MODES)}")
    return str(value)


def _per_class(check: Callable[[object], Any]) -> Callable[[object], Any]:
    """Allow one value for all classes, or an object {class id or label: value}."""

    def validate(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, dict):
            return check(value)
        checked: dict[str, Any] = {}
        for key, item in value.items():
            label = label_of(str(key))
            if label in checked:
                raise ValueError(f"names the class {label!r} twice")
            try:
                checked[label] = check(item)
            except ValueError as error:
                raise ValueError(f"for the class {key!r} {error}") from None
        return checked

    return validate


def _schema(single: list[dict[str, Any]]) -> WithJsonSchema:
    per_class = {
        "type": "object",
        "propertyNames": {"anyOf": [{"enum": list(LABELS)}, {"pattern": "^(1?[0-9]|2[0-4])$"}]},
        "additionalProperties": {"anyOf": single} if len(single) > 1 else single[0],
    }
    return WithJsonSchema({"anyOf": [*single, per_class, {"type": "null"}]})


_RATIO = {"type": "number", "exclusiveMinimum": 0}

Threshold = Annotated[
    float | dict[str, float] | None,
    BeforeValidator(_per_class(_threshold)),
    _schema([{"type": "number", "minimum": 0, "maximum": 1}]),
]
UnclipRatio = Annotated[
    float | tuple[float, float] | dict[str, float | tuple[float, float]] | None,
    BeforeValidator(_per_class(_ratio_or_pair)),
    _schema([_RATIO, {"type": "array", "items": _RATIO, "minItems": 2, "maxItems": 2}]),
]
MergeMode = Annotated[
    str | dict[str, str] | None,
    BeforeValidator(_per_class(_merge_mode)),
    _schema([{"type": "string", "enum": list(MERGE_MODES)}]),
]


def _file_type(value: object) -> object:
    """PaddleX accepts true, false and whole floats here, so known clients may send them; strings it refuses."""
    if isinstance(value, (bool, float)) and value in (0, 1):
        return int(value)
    return value


FileType = BeforeValidator(_file_type)


def _page_ranges(value: str | None) -> str | None:
    if value is None:
        return None
    ranges = "".join(value.split())
    if not PAGE_RANGES.fullmatch(ranges):
        raise ValueError('must list pages and ranges of pages, for example "1-3,7"')
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        if int(first) < 1:
            raise ValueError("counts pages from 1")
        if last and int(last) < int(first):
            raise ValueError(f"has a range that runs backwards: {part}")
    return ranges


_PAGES_SCHEMA = {
    "type": "string",
    "pattern": f"^{_PART}(,{_PART})*$".replace("[0-9]{1,7}", "[1-9][0-9]{0,6}"),
}
PageRanges = Annotated[
    str | None,
    AfterValidator(_page_ranges),
    WithJsonSchema({"anyOf": [_PAGES_SCHEMA, {"type": "null"}]}),
]


def _small_numbers(value: object) -> object:
    """Refuse what the JSON of the next tiers cannot hold. The parser bounds the depth."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("holds a whole number of more than 64 bits")
    if isinstance(value, dict):
        for item in value.values():
            _small_numbers(item)
    elif isinstance(value, list):
        for item in value:
            _small_numbers(item)
    return value


ExtraArgs = Annotated[dict[str, Any] | None, AfterValidator(_small_numbers)]


def _formats(value: list[str] | None) -> list[str] | None:
    for item in value or ():
        if item not in EXPORT_FORMATS:
            raise ValueError(f"has no format {item!r}; it can hold: {', '.join(EXPORT_FORMATS)}")
    return value


_FORMATS_SCHEMA = {"type": "array", "items": {"type": "string", "enum": list(EXPORT_FORMATS)}}
OutputFormats = Annotated[
    list[str] | None,
    AfterValidator(_formats),
    WithJsonSchema({"anyOf": [_FORMATS_SCHEMA, {"type": "null"}]}),
]
