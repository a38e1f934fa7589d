"""API.md: every endpoint, field, default and bound, from the OpenAPI description that the gateway serves."""

import json
from collections.abc import Iterator
from typing import Any

from docs.examples import EXAMPLES, Example, show
from docs.wording import Schema, code, split_default, table, type_in_words
from gateway.api_keys import parse_entries
from gateway.main import create_app
from gateway.settings import Settings

INTRODUCTION = """# HTTP API

Written by `make api-docs` from the description that the gateway serves at `/openapi.json`; change it in the code. The
same is on a running gateway at `/docs` and `/redoc`. The examples are run by the tests.
"""
KEYS = """## Keys

Where `HPS_API_KEYS` or `HPS_API_KEYS_FILE` are set ([SETTINGS.md](SETTINGS.md)), a request must show one of the keys:
`Authorization: Bearer KEY` or `Authorization: token KEY`. Elsewhere the header is ignored. Open to everyone are
{open}, the API pages, and a method that a path does not answer (405).
"""
REFERENCE = "#/components/schemas/"


def describe() -> Schema:
    """The OpenAPI description of a gateway with keys, which says the most."""
    return create_app(Settings(api_keys=parse_entries("docs:docs"), api_keys_of_file=())).openapi()


def render_api_page() -> str:
    """The whole page."""
    schema = describe()
    operations = [
        (method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    is_open = [f"`{path}`" for _, path, operation in operations if "security" not in operation]
    parts = [INTRODUCTION, schema["info"]["description"].strip() + "\n", KEYS.format(open=", ".join(is_open))]
    for method, path, operation in operations:
        parts += [f"## {method.upper()} {path}\n", *_endpoint(operation, schema)]
        parts += [_example(each) for each in EXAMPLES[method, path]]
    return "\n".join(parts)


def _endpoint(operation: Schema, schema: Schema) -> Iterator[str]:
    yield f"{operation['summary']}. {operation['description']}\n"
    if "requestBody" in operation:
        yield from _request(operation["requestBody"]["content"], schema)
    answers = operation["responses"]
    yield "### Answer\n"
    success = answers["200"]["content"]["application/json"]["schema"]
    rows = [
        [code(name), type_in_words(_resolve(field, schema)), "always" if needed else "at times", meaning]
        for name, field, needed in walk(success, schema)
        for meaning in [split_default(field)[0]]
    ]
    yield table(["field", "type", "present", "meaning"], rows) + "\n"
    errors = [[status, answer["description"]] for status, answer in answers.items() if status != "200"]
    yield table(["error", "when"], errors) + "\n"


def _request(content: dict[str, Any], schema: Schema) -> Iterator[str]:
    yield f"### Request: {' or '.join(code(media_type) for media_type in content)}\n"
    rows = []
    for name, field, needed in walk(content["application/json"]["schema"], schema):
        meaning, default = split_default(field)
        rows.append(
            [
                code(name),
                type_in_words(_resolve(field, schema)),
                "required" if needed else default or "none",
                meaning,
            ]
        )
    yield table(["field", "type", "default", "meaning"], rows) + "\n"
    if "multipart/form-data" in content:
        yield FORM


FORM = """In a form each field is written as in JSON, text without its quotes; lists also by repeating the field or with
commas. `file` is then the file itself, or the text of the JSON form.
"""


def walk(schema: Schema, whole: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Fields of an object and of the objects in it: path, schema, whether it must be there; what must comes first."""
    schema = _resolve(schema, whole)
    required = schema.get("required", ())
    for name, field in sorted(schema.get("properties", {}).items(), key=lambda each: each[0] not in required):
        path = f"{prefix}{name}"
        yield path, {**_resolve(field, whole), **field}, name in required
        inner, step = _resolve(_not_null(field), whole), "."
        if inner.get("type") == "array":
            inner, step = _resolve(inner.get("items", {}), whole), "[]."
        yield from walk(inner, whole, path + step)


def _not_null(field: Schema) -> Schema:
    kinds = [kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else field


def _resolve(schema: Schema, whole: Schema) -> Schema:
    """The schema itself where there is a reference to it."""
    if "$ref" in schema:
        resolved: Schema = whole["components"]["schemas"][schema["$ref"].removeprefix(REFERENCE)]
        return resolved
    return schema


def _example(example: Example) -> str:
    lines = [json.dumps(answer, ensure_ascii=False) for answer in example.answers]
    answers = "\n".join(lines) if len(lines) > 1 else show(example.answers[0])
    return f"{example.title}\n\n```sh\n{example.command}\n```\n\n```json\n{answers}\n```\n"
