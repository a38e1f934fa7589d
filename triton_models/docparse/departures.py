"""Clients that left: nothing announces them, so it is asked, and the work for them is cancelled."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

logger = logging.getLogger(__name__)

# How soon it is noticed.
_LOOK_SECONDS = 0.25


class Stream(Protocol):
    """Where a document's events go."""

    def is_unwanted(self) -> bool:
        """Whether nobody reads it any more; called on another thread than the rest, and may block."""
        ...


class Departures:
    """Asks for all documents at once, on a thread of its own.

    Each question waits a millisecond for the server's process. Asked by each document twenty times a second, on the
    event loop, that was up to half of the loop's time.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="departures")
        self._watched: dict[Stream, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, stream: Stream, work: "asyncio.Task[None]") -> Iterator[None]:
        """Cancel `work` when the reader of `stream` leaves before the body ends."""
        self._watched[stream] = work
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._watched.pop(stream, None)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._watched:
                await asyncio.sleep(_LOOK_SECONDS)
                for stream in await loop.run_in_executor(self._thread, _unwanted, list(self._watched)):
                    work = self._watched.pop(stream, None)  # once: it may be cleaning up for a while
                    if work is not None:
                        work.cancel()
        finally:
            self._looking = None


def _unwanted(streams: list[Stream]) -> list[Stream]:
    found = []
    for stream in streams:
        try:
            if stream.is_unwanted():
                found.append(stream)
        except Exception:  # one that cannot be asked goes on; the others are asked
            logger.exception("it cannot be asked whether a client is there")
    return found
