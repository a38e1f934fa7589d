"""Loaded by schemathesis: what of a good request JSON Schema cannot say, so that good ones get through."""

from typing import Any

import schemathesis

from gateway.models.example import EXAMPLE_PNG_BASE64
from gateway.models.labels import LABELS

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
            "anyOf": [
                {"type": ["string", "boolean", "null", "number"]},
                {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1},
            ],
        },
        # Those that mean something here.
        "properties": {
            # With bounds, for those are tried.
            name: {
                "anyOf": [
                    {"type": "number", "exclusiveMinimum": 0, "maximum": 1e300},
                    {"type": ["string", "null"]},
                ]
            }
            for name in ("max_new_tokens", "temperature", "ocr_min_pixels", "table_max_pixels", "max_pixels")
        },
    },
}

# No class is named twice, once by its id and once by its label.
CLASSES = [str(index) if index < 3 else label for index, label in enumerate(LABELS)]
PER_CLASS = ("layoutThreshold", "layoutUnclipRatio", "layoutMergeBboxesMode")


def narrow(fields: dict[str, Any]) -> None:
    fields.update({name: schema for name, schema in NARROWER.items() if name in fields})
    for name in PER_CLASS:
        for kind in fields.get(name, {}).get("anyOf", ()):
            if kind["type"] == "object":
                kind["propertyNames"] = {"enum": CLASSES}


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                narrow(media["schema"].get("properties", {}))
