"""From the request's `file` to bytes of a known kind: base64, data: URL, http(s) URL or an upload."""

import asyncio
import binascii
import re
from urllib.parse import unquote_to_bytes

import pybase64

from gateway.deadline import Deadline
from gateway.errors import EmptyDocument, InvalidDocument, PayloadTooLarge
from gateway.models.documents import Document
from gateway.services.fetching import UrlFetcher
from gateway.services.room import Lease
from gateway.services.sniffing import check_kind, sniff

# Decoding runs at some GB/s, so this many take about a millisecond (with stray characters in it, ten); a thread for
# less costs more than it saves.
DECODE_INLINE_CHARACTERS = 2 * 1024 * 1024
_HTTP_URL = re.compile(r"\s*https?://", re.IGNORECASE)
_DATA_URL = re.compile(r"\s*data:(?P<type>[^,]{0,256}),", re.IGNORECASE)
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=]+")
_WHITESPACE = b" \t\r\n\f\v"


class Documents:
    """Resolves documents within the limits."""

    def __init__(self, fetcher: UrlFetcher, *, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._max_bytes = max_bytes

    async def resolve(
        self, file: str | bytes, file_type: int | None, lease: Lease, deadline: Deadline
    ) -> Document:
        """Bytes and kind of `file`: text as in the JSON request, or bytes as uploaded.

        The lease of the request is cut to what is held of it, or grows for a download, which ends with the deadline.

        Raises:
            DeadlineExceeded: in a download.
            TooBusy: no room for a download.
            InvalidDocument: with a sentence about `file` or `fileType`.
            PayloadTooLarge: more bytes than the limit.
        """
        lease.shrink_to(len(file))
        if isinstance(file, bytes):
            content = file
        elif _HTTP_URL.match(file):
            async with deadline.enforce():
                content = await self._fetcher.fetch(file.strip(), lease)
        elif len(file) <= DECODE_INLINE_CHARACTERS:
            content = decode(file)
        else:
            content = await asyncio.to_thread(decode, file)
        lease.shrink_to(len(content))
        if len(content) > self._max_bytes:
            raise PayloadTooLarge(
                f"`file` has {len(content)} bytes; the limit is {self._max_bytes} (HPS_MAX_DOCUMENT_BYTES)."
            )
        return Document(check_kind(content, file_type), content)


def decode(text: str) -> bytes:
    """Bytes of base64 or of a data: URL.

    There may be line breaks in it and, where a document comes of it, other characters.

    Raises:
        EmptyDocument: nothing there.
        InvalidDocument: not base64.
    """
    data_url = _DATA_URL.match(text)
    if data_url is None:
        return _decode_base64(text, "`file` is neither base64 nor an http(s) or data: URL.")
    payload = text[data_url.end() :]
    if data_url["type"].lower().replace(" ", "").endswith(";base64"):
        return _decode_base64(payload, "`file` is a data: URL whose base64 is not valid.")
    return unquote_to_bytes(payload)


def _decode_base64(text: str, complaint: str) -> bytes:
    if not text or text.isspace():
        raise EmptyDocument("`file` is empty.")
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        # The slow road, for base64 with line breaks.
        return pybase64.b64decode(text.encode("ascii").translate(None, _WHITESPACE), validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        # As PaddleX reads it: what does not belong there is left out. Much that is no base64 can be read so; of pieces
        # that were joined, only the first, and a document is not cut in silence.
        content = b"" if "=" in _NO_BASE64.sub("", text).rstrip("=") else pybase64.b64decode(text)
    except (binascii.Error, ValueError):
        content = b""
    if sniff(content) is None:
        raise InvalidDocument(complaint)
    return content
