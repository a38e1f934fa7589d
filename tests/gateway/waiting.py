"""Waiting for a state, not for a time."""

import asyncio
from collections.abc import Callable


async def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Return as soon as `holds()`; fail when it never does."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.002)
