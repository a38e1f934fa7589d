"""Checked reading of single option values; each error names the option as clients know it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

from docparse.errors import InvalidOption
from docparse.layout.detector import ClassKey
from docparse.layout.labels import LABELS

_LARGEST_COUNT = 2**31 - 1

Bound = Callable[[float], bool]
Value = TypeVar("Value")


def camel_case(name: str) -> str:
    """`merge_layout_blocks` as clients write it: `mergeLayoutBlocks`; a key after a dot stays as it is."""
    option, dot, key = name.partition(".")
    first, *rest = option.split("_")
    return first + "".join(part.capitalize() for part in rest) + dot + key


def refuse(name: str, expectation: str, value: object) -> InvalidOption:
    """The error for option `name` (snake_case, or already a path) that is not what it must be."""
    return InvalidOption(f"`{camel_case(name)}` must be {expectation}; got: {value!r}.")


def read_bool(name: str, value: object, default: bool) -> bool:  # noqa: FBT001  an option's value
    """A boolean; null is the default."""
    if value is None:
        return default
    if not isinstance(value, bool):
        raise refuse(name, "true or false", value)
    return value


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a finite number; JSON has no NaN, but this wire is not only for JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_number(name: str, value: object, expectation: str, holds: Bound) -> float | None:
    """A finite number for which `holds`; null stays null."""
    if value is None:
        return None
    if not is_number(value) or not holds(value):
        raise refuse(name, expectation, value)
    return float(value)


def read_count(name: str, value: object) -> int | None:
    """A whole number above 0, also written as 1e6, or the largest that every tier can count; null stays null."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise refuse(name, "a whole number above 0", value)
    return min(value, _LARGEST_COUNT)


def read_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """One of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise refuse(name, f"one of: {', '.join(choices)}", value)
    return value


def read_strings(name: str, value: object, default: Sequence[str]) -> tuple[str, ...]:
    """A list of strings; null is the default."""
    if value is None:
        return tuple(default)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise refuse(name, "a list of strings", value)
    return tuple(value)


def read_object(name: str, value: object) -> dict[str, Any]:
    """A JSON object; null is empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise refuse(name, "an object", value)
    return dict(value)


def read_per_class(
    name: str, value: object, read: Callable[[str, object], Value]
) -> Value | dict[ClassKey, Value] | None:
    """One value for all classes, or an object of values by class id or label name; null stays null.

    Returns:
        The value, or the values by label name.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return read(name, value)
    return {_label(name, key): read(f"{name}.{key}", item) for key, item in value.items()}


def _label(name: str, key: object) -> str:
    if isinstance(key, str) and key in LABELS:
        return key
    if isinstance(key, int) or (isinstance(key, str) and key.isascii() and key.isdigit()):
        class_id = int(key)
        if 0 <= class_id < len(LABELS):
            return LABELS[class_id]
    raise InvalidOption(
        f"`{camel_case(name)}` has the unknown layout class {key!r}; "
        f"classes are 0 to {len(LABELS) - 1} or: {', '.join(LABELS)}."
    )
