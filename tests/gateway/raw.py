"""HTTP by hand, for what no client library would send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


async def exchange(url: str, request: str, *, hang_up: bool = False) -> bytes:
    """Send exactly this on a connection of its own; the head of the answer.

    Hanging up sends the end of the stream behind it.
    """
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode("latin-1"))
        if hang_up:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()


def post(body: bytes, *headers: str, path: str = "/layout-parsing") -> bytes:
    """A request with a JSON body."""
    lines = "".join(headers)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{lines}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """A connection of its own, on which any bytes can be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.writer.write(part.encode("latin-1") if isinstance(part, str) else part)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer; `100 Continue` is one too."""
        async with asyncio.timeout(10):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status_line, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(status_line.split()[1]), headers, body

    async def error(self, status: int, *words: str) -> None:
        got, headers, body = await self.answer()
        said = json.loads(body)
        assert (got, said["errorCode"]) == (status, status)
        assert set(said) == {"logId", "errorCode", "errorMsg"}
        assert headers["x-request-id"] == said["logId"]
        assert headers["content-type"] == "application/json"
        for word in words:
            assert word in said["errorMsg"]

    async def end(self) -> bytes:
        """What comes until the other side closes."""
        async with asyncio.timeout(10):
            return await self.reader.read()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
