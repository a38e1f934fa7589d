"""The wire between the gateway and the `layout-parsing` model: options in, events out.

An event is one line of JSON, the header. A `page` event carries the finished element of
`layoutParsingResults` after a newline, as JSON bytes that the gateway joins without parsing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from docparse.errors import DocparseError, InvalidOption

VERSION = 1

ImageKind = Literal["png", "jpeg", "tiff", "webp", "bmp", "gif"]
DocumentKind = Literal["pdf"] | ImageKind
KINDS: tuple[str, ...] = ("pdf", "png", "jpeg", "tiff", "webp", "bmp", "gif")


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """What accompanies the document's bytes.

    Attributes:
        log_id: the request's id in the logs of every tier.
        kind: what the gateway found the bytes to be.
        timeout_seconds: what remains of the request's one clock.
        parse: parse options, as `ParseOptions.from_wire` takes them.
    """

    log_id: str
    kind: DocumentKind
    timeout_seconds: float
    parse: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageSize:
    """Pixels of a page as the pipeline sees it, after rendering."""

    width: int
    height: int


def decode_request(raw: bytes) -> DocumentRequest:
    """Read the `options` tensor.

    Raises:
        InvalidOption: not JSON, another version of the wire, an unknown kind, or no clock.
    """
    try:
        options = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidOption(f"The options of the request are not JSON: {error}.") from error
    if not isinstance(options, dict) or options.get("version") != VERSION:
        raise InvalidOption(f"The options of the request are not version {VERSION} of the wire.")
    kind = options.get("kind")
    if kind not in KINDS:
        raise InvalidOption(f"The document kind {kind!r} is not one of: {', '.join(KINDS)}.")
    timeout_seconds = options.get("timeoutSeconds")
    if not isinstance(timeout_seconds, int | float) or isinstance(timeout_seconds, bool):
        raise InvalidOption(f"`timeoutSeconds` must be a number; got: {timeout_seconds!r}.")
    parse = options.get("parse") or {}
    if not isinstance(parse, dict):
        raise InvalidOption("The parse options of the request are not a JSON object.")
    return DocumentRequest(
        log_id=str(options.get("logId", "")),
        kind=kind,
        timeout_seconds=float(timeout_seconds),
        parse=parse,
    )


def document_event(
    kind: Literal["image", "pdf", "tiff"],
    pages: Sequence[PageSize],
    total_pages: int,
    render_scale: float | None,
) -> bytes:
    """The first event: what the document is and which pages will follow.

    Args:
        kind: of the document.
        pages: those that will follow.
        total_pages: of the document, selected or not.
        render_scale: pixels per point; None for what was not rendered.
    """
    return orjson.dumps(
        {
            "type": "document",
            "kind": kind,
            "pages": [{"width": page.width, "height": page.height} for page in pages],
            "totalPages": total_pages,
            "renderScale": render_scale,
        }
    )


def page_event(index: int, element: bytes) -> bytes:
    """A finished page; `index` is its position in the document event's `pages`."""
    return orjson.dumps({"type": "page", "index": index}) + b"\n" + element


def error_event(error: DocparseError) -> bytes:
    """The last event of a document that could not be parsed."""
    return orjson.dumps(
        {"type": "error", "code": error.code, "message": str(error), "retryable": error.retryable}
    )
