"""HTTP clients of both services: one answer whole, or a stream of pages, and loops of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from benchmarks.workloads.requests import Job

_HEADERS = {"Content-Type": "application/json"}
_LINES = {**_HEADERS, "Accept": "application/x-ndjson"}
_PAGE = b'{"type":"page"'
_GOOD = b'"errorCode":0'


class BadAnswer(Exception):
    """Anything but a good answer; a benchmark of errors would be worth nothing."""


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session without limits of its own."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout, read_bufsize=1 << 20
    ) as session:
        yield session


async def ask_whole(session: aiohttp.ClientSession, url: str, job: Job) -> float:
    """Send a document, read the whole answer; returns the seconds that it took.

    Raises:
        BadAnswer: it is not the answer to a document that was parsed.
    """
    began = time.monotonic()
    async with session.post(f"{url}/layout-parsing", data=job.body, headers=_HEADERS) as answer:
        body = await answer.read()
    seconds = time.monotonic() - began
    # The field stands at either end of the object, depending on who wrote it.
    if answer.status != 200 or (_GOOD not in body[:200] and _GOOD not in body[-200:]):
        raise BadAnswer(f"{answer.status} from {url}: {body[:200]!r}")
    return seconds


async def ask_streamed(
    session: aiohttp.ClientSession, url: str, job: Job, on_page: Callable[[float], None]
) -> float:
    """Send a document, call `on_page` with the seconds since then for each page as it comes; see `ask_whole`."""
    began = time.monotonic()
    pages, rest, last = 0, b"", b""
    async with session.post(f"{url}/layout-parsing", data=job.body, headers=_LINES) as answer:
        async for data in answer.content.iter_any():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                last = line
                if line.startswith(_PAGE):
                    pages += 1
                    on_page(time.monotonic() - began)
    if answer.status != 200 or pages != job.pages or _GOOD not in last:
        raise BadAnswer(f"{answer.status} from {url} with {pages} of {job.pages} pages: {last[:200]!r}")
    return time.monotonic() - began


@dataclass(slots=True)
class Finished:
    """Pages and documents as they came, each with the time on the monotonic clock."""

    pages: list[float] = field(default_factory=list)
    documents: list[tuple[float, int, float]] = field(default_factory=list)

    def pages_between(self, first: float, last: float) -> int:
        """Pages that came after `first`, up to `last`."""
        return sum(first < each <= last for each in self.pages)


class Loops:
    """Clients that each send their next document when the last is answered, until the context ends.

    A client that meets a bad answer ends the whole run with it.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._tasks: list[asyncio.Task[None]] = []
        self._draining = False
        self.finished = Finished()

    def add(self, jobs: list[Job], *, start: int = 0, stream: bool = False) -> None:
        """One more client, that sends these over and over, from the one at `start`."""
        self._tasks.append(asyncio.create_task(self._client(jobs, start, stream=stream)))

    async def drain(self) -> None:
        """Let every client end with the document that it is at."""
        self._draining = True
        await asyncio.wait(self._tasks)
        self.check()

    async def __aenter__(self) -> "Loops":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.check()

    def check(self) -> None:
        """Raise what a client met."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def run_for(self, seconds: float) -> None:
        """Let them work; BadAnswer as soon as one is met."""
        await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self.check()

    async def _client(self, jobs: list[Job], start: int, *, stream: bool) -> None:
        number = start
        while not self._draining:
            job = jobs[number % len(jobs)]
            number += 1
            if stream:
                taken = await ask_streamed(
                    self._session, self._url, job, lambda _: self.finished.pages.append(time.monotonic())
                )
            else:
                taken = await ask_whole(self._session, self._url, job)
                self.finished.pages += [time.monotonic()] * job.pages
            self.finished.documents.append((time.monotonic(), job.pages, taken))
