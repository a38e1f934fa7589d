"""A document on its way to Triton."""

from enum import StrEnum


class Kind(StrEnum):
    """What the bytes are. Values are the wire's."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    WEBP = "webp"
    BMP = "bmp"
    GIF = "gif"


class Document:
    """The bytes of one file, given away once so that no copy outlives the sending."""

    def __init__(self, kind: Kind, content: bytes) -> None:
        self.kind = kind
        self.size_bytes = len(content)
        self._content: bytes | None = content

    def take(self) -> bytes:
        """Return the bytes and forget them. A second call raises RuntimeError."""
        content, self._content = self._content, None
        if content is None:
            raise RuntimeError("the document's bytes were already taken")
        return content
