"""The wire between the gateway and the models: requests in, events or a result out.

An event is one line of JSON, the header. A `page` event carries the finished element of
`layoutParsingResults` after a newline, as JSON bytes that the gateway joins without parsing.

A request to restructure pages is one line of JSON, a newline, and the client's own JSON with the pages in it;
its answer is a `result` header, a newline, and the JSON of `result`; or an error, as in an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from docparse.errors import DocparseError, InvalidOption, InvalidPages

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


@dataclass(frozen=True, slots=True)
class RestructureRequest:
    """Pages to restructure.

    Attributes:
        log_id: the request's id in the logs of every tier.
        timeout_seconds: what remains of the request's one clock.
        options: as `restructuring.request.RestructureOptions` takes them.
        pages: as the client sent them, unchecked.
    """

    log_id: str
    timeout_seconds: float
    options: Mapping[str, Any]
    pages: Sequence[Any]


def decode_restructure_request(raw: bytes) -> RestructureRequest:
    """Read the `request` tensor.

    Raises:
        InvalidOption: the header is not JSON, or of another version of the wire.
        InvalidPages: what follows is no JSON object with a list of pages.
    """
    line, _, body = raw.partition(b"\n")
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidOption(f"The header of the request is not JSON: {error}.") from error
    if not isinstance(header, dict) or header.get("version") != VERSION:
        raise InvalidOption(f"The header of the request is not version {VERSION} of the wire.")
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidPages(f"The body is not JSON: {error}.") from error
    pages = sent.get("pages") if isinstance(sent, dict) else None
    if not isinstance(pages, list):
        raise InvalidPages("`pages` must be a list.")
    return RestructureRequest(
        log_id=str(header.get("logId", "")),
        timeout_seconds=float(header["timeoutSeconds"]),
        options=header.get("options") or {},
        pages=pages,
    )


def result_message(result: bytes) -> bytes:
    """The answer to a request to restructure pages; `result` is JSON that the gateway does not parse."""
    return orjson.dumps({"type": "result"}) + b"\n" + result


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


def alive_event() -> bytes:
    """Between others, where they are long in coming: the document is in work. It may come before the first."""
    return orjson.dumps({"type": "alive"})


def error_event(error: DocparseError) -> bytes:
    """The last event of a document that could not be parsed, or the answer for pages that were refused."""
    return orjson.dumps({"type": "error", "code": error.code, "message": str(error)})
