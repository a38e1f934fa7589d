"""Clients that stay to the end, and clients that leave."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos import documents
from tests.chaos.tiers import HANG_SECONDS

_LINES = {"Accept": "application/x-ndjson"}

# What a client may be told when something behind the service is down.
_CLEAN = {429, 503, 504}


@dataclass(frozen=True)
class Answer:
    """`status` 0 when the connection was cut. `pages` of a document that was parsed."""

    status: int
    message: str
    pages: Sequence[dict[str, Any]] = field(default=(), repr=False)

    @property
    def warnings(self) -> list[dict[str, Any]]:
        return [warning for page in self.pages for warning in page.get("warnings", [])]

    @property
    def is_whole(self) -> bool:
        """Parsed, and every region of it read."""
        return self.status == 200 and not self.warnings


async def ask(url: str, body: dict[str, Any], *, lines: bool = False) -> Answer:
    """One request on a connection of its own, so that requests spread over the gateway's workers."""
    async with httpx.AsyncClient(timeout=2 * HANG_SECONDS) as client:
        try:
            response = await client.post(f"{url}/layout-parsing", json=body, headers=_LINES if lines else {})
        except httpx.TransportError as error:
            return Answer(0, repr(error))
    if response.status_code == 200 and lines:
        return _read_lines(response)
    said = response.json()
    if response.status_code == 200:
        assert (said["errorCode"], said["errorMsg"]) == (0, "Success")
        return Answer(200, "Success", said["result"]["layoutParsingResults"])
    assert set(said) == {"logId", "errorCode", "errorMsg"}
    assert said["errorCode"] == response.status_code
    assert response.status_code not in (429, 503) or int(response.headers["Retry-After"]) > 0
    return Answer(response.status_code, said["errorMsg"])


def _read_lines(response: httpx.Response) -> Answer:
    first, *pages, last = [json.loads(line) for line in response.text.splitlines()]
    assert first["type"] == "document"
    assert {page["type"] for page in pages} <= {"page"}
    if last["type"] == "error":
        return Answer(last["errorCode"], last["errorMsg"])
    assert (last["type"], last["errorCode"]) == ("summary", 0)
    assert sorted(page["index"] for page in pages) == list(range(last["dataInfo"].get("numPages", 1)))
    return Answer(200, "Success", [page["result"] for page in pages])


class Crowd:
    """Requests in flight together."""

    def __init__(self, url: str, bodies: Sequence[dict[str, Any]]) -> None:
        """Every second one is answered in lines."""
        self._asking = [
            asyncio.create_task(ask(url, body, lines=bool(number % 2))) for number, body in enumerate(bodies)
        ]

    async def answers(self) -> list[Answer]:
        return await asyncio.gather(*self._asking)

    async def clean_answers(self) -> list[Answer]:
        """All of them, of which each is a success or an error that says what is wrong."""
        answers = await self.answers()
        for answer in answers:
            assert answer.status == 200 or (answer.status in _CLEAN and answer.message), answer
        return answers


def mixed_bodies() -> list[dict[str, Any]]:
    """Single pages and a PDF of some pages, each as JSON and as lines; no more than there are places."""
    pages = [documents.body(documents.image()) for _ in range(2)]
    books = [documents.body(documents.pdf(4)) for _ in range(2)]
    return [*pages, *books, documents.one_call(), documents.one_call()]


class LeavingClient:
    """A request by hand; see `asking_by_hand`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def until(self, text: bytes) -> None:
        """Read the answer up to this."""
        async with asyncio.timeout(HANG_SECONDS):
            await self._reader.readuntil(text)

    def slam(self) -> None:
        """Reset the connection, as a client does whose process dies with bytes unread."""
        self._writer.transport.abort()


@asynccontextmanager
async def asking_by_hand(
    url: str, body: dict[str, Any], *, part: float = 1.0
) -> AsyncIterator[LeavingClient]:
    """Send that part of a request that asks for lines; hang up at the end of the block."""
    host, port = url.removeprefix("http://").split(":")
    # Documents are small, but pages come as one line.
    reader, writer = await asyncio.open_connection(host, int(port), limit=64 * 1024 * 1024)
    data = json.dumps(body).encode()
    writer.write(
        f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    )
    writer.write(data[: int(len(data) * part)])
    await writer.drain()
    try:
        yield LeavingClient(reader, writer)
    finally:
        writer.close()
