"""JSON Schema in words, and tables of Markdown."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

Schema = dict[str, Any]

_BOUNDS = {
    "exclusiveMinimum": "> {}",
    "minimum": "≥ {}",
    "exclusiveMaximum": "< {}",
    "maximum": "≤ {}",
    "maxLength": "of at most {} characters",
}
_FORMATS = {
    "path": "path",
    "binary": "file",
    "ipv4network": "IPv4 network",
    "ipv6network": "IPv6 network",
}
# A class of layout regions, by name or number; the list of them would drown the table.
_CLASSES = "class"
_DEFAULT = re.compile(r"\s*Default: (?P<value>.+?)\.?$", re.DOTALL)


def type_in_words(schema: Schema) -> str:  # noqa: PLR0911 - one return per kind of schema
    """What a value may be, with its bounds; null is left out, for the default tells it."""
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return " or ".join(code(value) for value in schema["enum"] if value is not None)
    if "anyOf" in schema:
        kinds = (type_in_words(kind) for kind in schema["anyOf"] if kind.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return "object"
    kind = schema.get("type", "any JSON")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema)
    words = _FORMATS.get(schema.get("format", ""), kind)
    bounds = [text.format(_number(schema[name])) for name, text in _BOUNDS.items() if name in schema]
    return f"{words} {' and '.join(bounds)}".rstrip()


def split_default(schema: Schema) -> tuple[str, str]:
    """Meaning and default of a field. What stands for null is told by the description: "... Default: on."."""
    text = " ".join(schema.get("description", "").split())
    told = _DEFAULT.search(text)
    if told is not None:
        return text[: told.start()].strip(), told["value"]
    default = schema.get("default")
    return text, "" if default in (None, [], "") else code(default)


def code(value: object) -> str:
    """A value as it is written in JSON, in code style; text without its quotes."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _array(schema: Schema) -> str:
    items = type_in_words(schema.get("items", {}))
    count = schema.get("minItems")
    if count is not None and count == schema.get("maxItems"):
        return f"list of {count} ({items})"
    return f"list of {items}" if " or " not in items else f"list of ({items})"


def _object(schema: Schema) -> str:
    values = schema.get("additionalProperties")
    if not isinstance(values, dict):
        return "object"
    key = _CLASSES if "propertyNames" in schema else "name"
    return f"object from {key} to {type_in_words(values)}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
