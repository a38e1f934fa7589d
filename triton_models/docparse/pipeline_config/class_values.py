"""Values of the file that are one for all layout classes, or one for each: thresholds, ratios, merge modes."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from docparse.layout.detector import ClassKey
from docparse.layout.labels import LABELS
from docparse.option_values import is_number

MERGE_MODES = ("large", "small", "union")


class WrongClassValue(Exception):
    """A value that is not what it must be; the message is the rest of a sentence that begins with its key."""


def _threshold(value: object) -> float:
    if not is_number(value) or not 0 <= value <= 1:
        raise WrongClassValue(f"must be a number from 0 to 1; got {value!r}")
    return float(value)  # PaddleX takes a whole number for none


def _ratio(value: object) -> tuple[float, float]:
    ratios = list(value) if isinstance(value, list | tuple) else [value, value]
    numbers = [float(ratio) for ratio in ratios if is_number(ratio) and ratio > 0]
    if len(ratios) != 2 or len(numbers) != 2:
        raise WrongClassValue(f"must be a number above 0 or two of them, [width, height]; got {value!r}")
    return numbers[0], numbers[1]


def _merge_mode(value: object) -> str:
    if not isinstance(value, str) or value not in MERGE_MODES:
        raise WrongClassValue(f"must be one of: {', '.join(MERGE_MODES)}; got {value!r}")
    return value


def _per_class(read: Callable[[object], Any]) -> BeforeValidator:
    def validate(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            return _read("", value, read)
        values: dict[str, Any] = {}
        for key, item in value.items():
            label = _label(key)
            if label in values:
                raise _error(key, f"names the class {label} a second time")
            values[label] = _read(key, item, read)
        return values

    return BeforeValidator(validate)


def _read(key: object, value: object, read: Callable[[object], Any]) -> Any:
    try:
        return read(value)
    except WrongClassValue as error:
        raise _error(key, str(error)) from None


def _label(key: object) -> str:
    """The class of an id, as a number or as JSON's text of one, or of a label."""
    if isinstance(key, str) and key in LABELS:
        return key
    if isinstance(key, str) and key.isascii() and key.isdigit():
        key = int(key)
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(LABELS):
        return LABELS[key]
    raise _error(key, f"is no layout class; they are 0 to {len(LABELS) - 1} or: {', '.join(LABELS)}")


def _error(key: object, sentence: str) -> PydanticCustomError:
    return PydanticCustomError("class_value", "{sentence}", {"key": str(key), "sentence": sentence})


Threshold = Annotated[float | dict[ClassKey, float] | None, _per_class(_threshold)]
UnclipRatio = Annotated[tuple[float, float] | dict[ClassKey, tuple[float, float]] | None, _per_class(_ratio)]
MergeMode = Annotated[str | dict[ClassKey, str] | None, _per_class(_merge_mode)]
