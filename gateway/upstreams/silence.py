"""Reading a stream of which something must be heard now and then."""

import asyncio
from typing import Any, Self


class WatchedCall:
    """A gRPC call that is cancelled when a message is waited for too long.

    One timer serves all messages: setting one for each costs more than reading it.

    Attributes:
        seconds: that the next message may be waited for.
    """

    def __init__(self, call: Any, seconds: float) -> None:
        self.seconds = seconds
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._reading = False
        self._is_over = False
        self._until = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._until, self._look)

    async def read(self) -> Any:
        """The next message.

        Raises:
            TimeoutError: it did not come in time; the call is cancelled.
        """
        self._until = self._loop.time() + self.seconds
        if self._until < self._timer.when():
            self._set_timer(self._until)
        self._reading = True
        try:
            return await self._call.read()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_over or (task is not None and task.cancelling()):
                raise
            raise TimeoutError from None
        finally:
            self._reading = False

    def _look(self) -> None:
        now = self._loop.time()
        if self._reading and now >= self._until:
            self._is_over = True
            self._call.cancel()
        else:
            self._set_timer(self._until if self._reading else now + self.seconds)

    def _set_timer(self, at: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(at, self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
