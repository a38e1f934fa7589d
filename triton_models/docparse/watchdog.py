"""Processes that hang are ended, so that they are started anew; nobody else could tell that they do.

`faulthandler` counts in a thread of its own that needs no GIL, and writes where every thread was before it ends the
process.
"""

import asyncio
import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager


async def watch_event_loop(hang_seconds: float) -> None:
    """End the process when the running event loop stands still for so long. Runs until it is cancelled."""
    try:
        while True:
            faulthandler.dump_traceback_later(hang_seconds, exit=True)
            await asyncio.sleep(hang_seconds / 10)
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def watching(hang_seconds: float) -> Iterator[None]:
    """End the process when the body takes longer."""
    faulthandler.dump_traceback_later(hang_seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
