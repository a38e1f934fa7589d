"""What is true of every operation of the API pages: its defects, and its key where keys are set."""

from collections.abc import Callable
from typing import Any

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Authorization: token KEY`, for clients that send this form.",
    },
}
_DEFECT = "A defect of the service; the log holds the details under the answer's logId."
_KEY_ERRORS = {
    401: "No API key; WWW-Authenticate says how to send one.",
    403: "The API key is not known.",
}


def complete_openapi(schema: dict[str, Any], *, needs_key: Callable[[str], bool]) -> dict[str, Any]:
    """Add to a schema what no route says of itself. `needs_key` tells it of a path."""
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _add_error(operation, 500, _DEFECT)
            if needs_key(path):
                operation["security"] = [{scheme: []} for scheme in _SCHEMES]
                for status, description in _KEY_ERRORS.items():
                    _add_error(operation, status, description)
                schema["components"]["securitySchemes"] = _SCHEMES
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return schema


def _add_error(operation: dict[str, Any], status: int, description: str) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    operation["responses"].setdefault(str(status), {"description": description, "content": content})


def inline_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """A model's JSON schema without `$defs`, which OpenAPI would look for elsewhere. Models may not be recursive."""
    definitions = schema.get("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inline(definitions[part["$ref"].removeprefix("#/$defs/")])
        return {name: inline(each) for name, each in part.items() if name != "$defs"}

    inlined: dict[str, Any] = inline(schema)
    return inlined
