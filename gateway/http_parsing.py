"""The parser under `http_protocol`: how it is made, what its errors mean, and what keeps the pieces of a body."""

import logging

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import GatewayError, InternalError, MalformedRequest

logger = logging.getLogger(__name__)


class Pieces:
    """What has arrived of a body and was not taken yet. uvicorn's bytearray would copy each byte twice more."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def __iadd__(self, piece: bytes) -> "Pieces":
        self._pieces.append(piece)
        self._size += len(piece)
        return self

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self._pieces)


def make_parser(protocol: HttpToolsProtocol) -> httptools.HttpRequestParser:
    """A parser as uvicorn makes one."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def read_problem(error: httptools.HttpParserError) -> GatewayError:
    """What the parser, or our part of it, has against a request."""
    ours = error.__context__
    if isinstance(ours, GatewayError):
        return ours
    if isinstance(ours, httptools.HttpParserInvalidURLError | UnicodeDecodeError):
        return MalformedRequest("The request's address cannot be read.")
    if isinstance(error, httptools.HttpParserCallbackError):
        logger.error("unexpected error", exc_info=ours)
        return InternalError()
    return MalformedRequest(f"The request is not HTTP/1.1: {error}.")
