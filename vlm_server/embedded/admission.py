"""Who works and who waits: first come, first served, and everything stops when the client has gone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from vlm_server.embedded.errors import OverloadedError
from vlm_server.embedded.metrics import Metrics

_T = TypeVar("_T")


class ClientGoneError(Exception):
    """The client closed the connection; there is nobody to answer."""


class Admission:
    """Lets a few requests work at a time; the rest wait in line."""

    def __init__(self, *, running: int, max_waiting: int, metrics: Metrics) -> None:
        self._slots = asyncio.Semaphore(running)
        self._max_waiting = max_waiting
        self._metrics = metrics

    async def run(self, work: Callable[[], Coroutine[Any, Any, _T]], gone: Awaitable[object]) -> _T:
        """Run `work` in its turn, unless `gone` comes first.

        Raises:
            OverloadedError: the line is full.
            ClientGoneError: `gone` came first; `work` was cancelled or never started.
        """
        metrics = self._metrics
        metrics.requests_total += 1
        if metrics.num_requests_waiting >= self._max_waiting:
            metrics.requests_failed_total += 1
            raise OverloadedError("Too many requests are waiting; try again shortly.")
        working = asyncio.create_task(self._in_turn(work))
        leaving = asyncio.ensure_future(gone)
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
        except asyncio.CancelledError:
            metrics.requests_aborted_total += 1
            raise
        except BaseException:
            metrics.requests_failed_total += 1
            raise
        else:
            metrics.requests_aborted_total += 1
            raise ClientGoneError
        finally:
            for task in (working, leaving):
                task.cancel()
            await asyncio.gather(working, leaving, return_exceptions=True)

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        self._metrics.num_requests_waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._metrics.num_requests_waiting -= 1
        self._metrics.num_requests_running += 1
        try:
            return await work()
        finally:
            self._metrics.num_requests_running -= 1
            self._slots.release()
