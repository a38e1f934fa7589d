"""One clock per request: waiting for a URL, for a place and for inference all run against it."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.errors import DeadlineExceeded, GatewayError, ShuttingDown


class Deadline:
    """An absolute moment of the running loop's clock, and the error that it raises when it passes."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._at = self._clock() + seconds
        self._error: Callable[[], GatewayError] = lambda: DeadlineExceeded(
            f"The request was not finished within {seconds:g} seconds."
        )
        self._enforced: set[asyncio.Timeout] = set()

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._at - self._clock())

    @asynccontextmanager
    async def enforce(self) -> AsyncIterator[None]:
        """Cancel the body when the deadline passes.

        Raises:
            DeadlineExceeded: the deadline passed inside the body.
            ShuttingDown: the deadline was cut short by a shutdown, and then passed.
        """
        timeout = asyncio.timeout_at(self._at)
        try:
            async with timeout:
                self._enforced.add(timeout)
                try:
                    yield
                finally:
                    self._enforced.discard(timeout)
        except TimeoutError as error:
            if not timeout.expired():
                raise
            raise self._error() from error

    def cut_short(self, seconds: float, error: Callable[[], GatewayError]) -> None:
        """Move the deadline to `seconds` from now, unless it is nearer already; it then raises `error()`."""
        at = self._clock() + seconds
        if at >= self._at:
            return
        self._at, self._error = at, error
        for timeout in self._enforced:
            timeout.reschedule(at)


class Deadlines:
    """Starts deadlines of one length, and can cut short all that are alive."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._alive: weakref.WeakSet[Deadline] = weakref.WeakSet()

    def start(self) -> Deadline:
        """Return a deadline that begins now."""
        deadline = Deadline(self._seconds)
        self._alive.add(deadline)
        return deadline

    def cut_short(self, seconds: float) -> None:
        """Give everything in flight at most `seconds` more, then answer 503."""
        for deadline in list(self._alive):
            deadline.cut_short(
                seconds,
                lambda: ShuttingDown(
                    "The service is shutting down and could not finish the request.",
                    retry_after_seconds=max(1, round(seconds)),
                ),
            )
