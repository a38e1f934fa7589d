"""Offers to change the protocol (`Upgrade: h2c`, `websocket`), taken out of a request's head."""

import re

Headers = list[tuple[bytes, bytes]]

# Headers that are part of an offer; in `Connection` their names stand too.
_OFFER_HEADERS = frozenset({b"upgrade", b"http2-settings"})


def head_without_offer(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """The same head without its offer to change the protocol."""
    lines = [b"%b %b HTTP/%b\r\n" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            kept = [each for each in _tokens(value) if each.lower() not in _OFFER_HEADERS]
            lines += [b"connection: %b\r\n" % b", ".join(kept)] if kept else []
        elif name not in _OFFER_HEADERS:
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join([*lines, b"\r\n"])


def _tokens(value: bytes) -> list[bytes]:
    return [token for token in re.split(rb"[ \t]*,[ \t]*", value.strip()) if token]
