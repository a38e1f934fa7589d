"""Events of the model `layout-parsing`: a JSON header line, and for pages the finished JSON after it."""

from dataclasses import dataclass
from typing import Any, Literal

import orjson


class BadEvent(ValueError):
    """The model sent something that is not in the wire's description."""


@dataclass(frozen=True, slots=True)
class DocumentEvent:
    """Sent first: the pages that will follow, with their (width, height) in pixels."""

    kind: Literal["image", "pdf", "tiff"]
    pages: tuple[tuple[int, int], ...]
    total_pages: int
    render_scale: float | None

    def data_info(self) -> dict[str, Any]:
        """The public `dataInfo`."""
        if self.kind == "image":
            width, height = self.pages[0]
            return {"width": width, "height": height, "type": "image"}
        info: dict[str, Any] = {
            "numPages": len(self.pages),
            "totalPages": self.total_pages,
            "pages": [{"width": width, "height": height} for width, height in self.pages],
            "type": self.kind,
        }
        if self.kind == "pdf":
            info["renderScale"] = self.render_scale
        return info


@dataclass(frozen=True, slots=True)
class PageEvent:
    """One finished page: the JSON of its element of `layoutParsingResults`, never re-parsed."""

    index: int
    result: bytes


@dataclass(frozen=True, slots=True)
class AliveEvent:
    """The document is still in work; nothing else has been said for a while."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The end of the stream by failure."""

    code: str
    message: str


Event = DocumentEvent | PageEvent | AliveEvent | ErrorEvent


def parse_event(data: bytes) -> Event:
    """Read one event.

    Raises:
        BadEvent: it is not one.
    """
    line, _, body = data.partition(b"\n")
    try:
        header = orjson.loads(line)
        match header["type"]:
            case "document":
                return _document(header)
            case "page" if body:
                return PageEvent(index=int(header["index"]), result=body)
            case "alive":
                return AliveEvent()
            case "error":
                return ErrorEvent(code=str(header["code"]), message=str(header["message"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadEvent(f"{type(error).__name__} in an event header") from error
    raise BadEvent("an event of unknown type or without its body")


def _document(header: dict[str, Any]) -> DocumentEvent:
    pages = tuple((int(page["width"]), int(page["height"])) for page in header["pages"])
    if header["kind"] not in ("image", "pdf", "tiff") or not pages:
        raise BadEvent("a document event without kind or pages")
    scale = header.get("renderScale")
    return DocumentEvent(
        kind=header["kind"],
        pages=pages,
        total_pages=int(header["totalPages"]),
        render_scale=None if scale is None else float(scale),
    )
