"""Threads for the CPU work of pages, handed out fairly; asyncio's own have one line, in order of arrival."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from docparse.scheduling.limiter import FairLimiter
from docparse.scheduling.turns import Turn

P = ParamSpec("P")
R = TypeVar("R")


class FairThreads:
    """A few threads; a call that waits for one waits in a fair line."""

    def __init__(self, threads: int, name: str = "page") -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limiter = FairLimiter(threads)

    async def run(self, turn: Turn, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function` in a thread. When this is cancelled, what has begun goes on and keeps its thread."""
        await self._limiter.acquire(turn)
        call = asyncio.get_running_loop().run_in_executor(self._executor, partial(function, *args, **kwargs))
        call.add_done_callback(lambda _: self._limiter.release())
        return await asyncio.shield(call)

    def close(self) -> None:
        """End the threads once what they do is done; what has not begun is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)
