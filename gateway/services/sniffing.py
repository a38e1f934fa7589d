"""What a file is, from its first bytes."""

from gateway.errors import EmptyDocument, InvalidDocument
from gateway.models.documents import Kind

# The PDF header may come after other bytes; readers look for it in the first 1024.
PDF_HEADER_WITHIN_BYTES = 1024
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

_NAMES = {
    Kind.PDF: "a PDF",
    Kind.PNG: "a PNG image",
    Kind.JPEG: "a JPEG image",
    Kind.TIFF: "a TIFF image",
    Kind.WEBP: "a WebP image",
    Kind.BMP: "a BMP image",
    Kind.GIF: "a GIF image",
}
_SERVED = "a PDF, PNG, JPEG, TIFF, WebP, BMP or GIF"


def sniff(content: bytes) -> Kind | None:  # noqa: PLR0911 - one return per kind is the table
    """Kind of the bytes, or None when they are none that is served."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    # The last two are BigTIFF.
    if content.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return Kind.TIFF
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Kind.WEBP
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADER_SIZES:
        return Kind.BMP
    if content.find(b"%PDF-", 0, PDF_HEADER_WITHIN_BYTES + len(b"%PDF-")) >= 0:
        return Kind.PDF
    return None


def check_kind(content: bytes, file_type: int | None) -> Kind:
    """Kind of the bytes, when it agrees with the request's `fileType` (0 PDF, 1 image, None unsaid).

    Raises:
        EmptyDocument: there are no bytes.
        InvalidDocument: they are of no kind that is served, or `fileType` says another.
    """
    if not content:
        raise EmptyDocument("`file` is empty.")
    kind = sniff(content)
    if kind is None:
        raise InvalidDocument(f"`file` must be {_SERVED}; its bytes {_looks_like(content)}.")
    if file_type is not None and (file_type == 0) != (kind is Kind.PDF):
        said = "0 (PDF)" if file_type == 0 else "1 (image)"
        raise InvalidDocument(f"`fileType` is {said}, but the bytes of `file` are {_NAMES[kind]}.")
    return kind


def _looks_like(content: bytes) -> str:
    """How to name bytes that are not served."""
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "are an HTML page"
    if start.startswith((b"<?xml", b"<svg")):
        return "are XML"
    if content.startswith(b"PK\x03\x04"):
        return "are a ZIP archive or an Office document"
    if start.startswith((b"{", b"[")):
        return "look like JSON"
    return "are none of these"
