"""Requests that fail by themselves, whatever stands behind the gateway: one of each kind, with its answer."""

from dataclasses import dataclass, field
from typing import Any

from tests.gateway.conftest import GOOD


@dataclass
class BadRequest:
    status: int
    code: str
    sentence: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


BAD_REQUESTS = {
    "empty body": BadRequest(
        400, "malformed_request", "The body is empty; send a JSON object with the field `file`.", b""
    ),
    "not JSON": BadRequest(
        400,
        "malformed_request",
        "The body is not valid JSON: EOF while parsing a value at line 1 column 9.",
        b'{"file": ',
    ),
    "not a form": BadRequest(
        400,
        "malformed_request",
        "The form cannot be read: Missing boundary in multipart.",
        b"x",
        {"Content-Type": "multipart/form-data"},
    ),
    "media type": BadRequest(
        415,
        "unsupported_media_type",
        "Content-Type must be application/json or multipart/form-data; this request's is text/plain.",
        GOOD,
        {"Content-Type": "text/plain"},
    ),
    "compressed body": BadRequest(
        415,
        "unsupported_media_type",
        "The body must not be compressed; send it without Content-Encoding.",
        b"x",
        {"Content-Encoding": "gzip"},
    ),
    "no object": BadRequest(
        422, "invalid_request", "The body must be a JSON object with the field `file`.", []
    ),
    "missing field": BadRequest(422, "invalid_request", "`file` is required.", {}),
    "wrong type": BadRequest(
        422, "invalid_request", "`file` is not valid: input should be a valid string.", {"file": None}
    ),
    "out of bounds": BadRequest(
        422,
        "invalid_request",
        "`topP` is not valid: input should be less than or equal to 1.",
        {**GOOD, "topP": 1.5},
    ),
    "not a choice": BadRequest(
        422,
        "invalid_request",
        "`layoutShapeMode` is not valid: input should be 'rect', 'quad', 'poly' or 'auto'.",
        {**GOOD, "layoutShapeMode": "circle"},
    ),
    "fields at odds": BadRequest(
        422,
        "invalid_request",
        "`minPixels` (9) cannot exceed `maxPixels` (1).",
        {**GOOD, "minPixels": 9, "maxPixels": 1},
    ),
    "not base64": BadRequest(
        422,
        "invalid_document",
        "`file` is neither base64 nor an http(s) or data: URL.",
        {"file": "%%%"},
    ),
    "no document": BadRequest(
        422,
        "invalid_document",
        "`file` must be a PDF, PNG, JPEG, TIFF, WebP, BMP or GIF; its bytes are none of these.",
        {"file": "anVzdCB0ZXh0"},
    ),
    "wrong file type": BadRequest(
        422,
        "invalid_document",
        "`fileType` is 0 (PDF), but the bytes of `file` are a PNG image.",
        {**GOOD, "fileType": 0},
    ),
    "empty document": BadRequest(422, "empty_document", "`file` is empty.", {"file": ""}),
    "no URL": BadRequest(422, "url_failed", "`file` is not a valid http(s) URL.", {"file": "http://"}),
    "private URL": BadRequest(
        422,
        "url_refused",
        "`file`: the URL leads to an address that is not public; this service does not go there.",
        {"file": "http://127.0.0.1/?token=secret"},
    ),
}
