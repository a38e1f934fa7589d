"""Loaded by schemathesis: what of a good request JSON Schema cannot say, so that good ones get through."""

from typing import Any

import schemathesis

from gateway.models.example import EXAMPLE_PNG_BASE64

NARROWER: dict[str, dict[str, Any]] = {
    # A document; texts that are none are still made, as bad requests.
    "file": {"type": "string", "enum": [EXAMPLE_PNG_BASE64]},
    # What that document is.
    "fileType": {"enum": [1, None]},
    # Ranges that do not run backwards.
    "pageRanges": {"enum": ["1", "1-3,7", None]},
    # The least is not over the most.
    "minPixels": {"type": "integer", "minimum": 1, "maximum": 1000},
    "maxPixels": {"type": "integer", "minimum": 1000, "maximum": 2**31 - 1},
    # Numbers of 64 bits, at any depth.
    "vlmExtraArgs": {
        "type": ["object", "null"],
        "additionalProperties": {
            "type": ["string", "boolean", "integer", "null"],
            "minimum": -(2**63),
            "maximum": 2**64 - 1,
        },
    },
}


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                fields = media["schema"].get("properties", {})
                fields.update({name: schema for name, schema in NARROWER.items() if name in fields})
