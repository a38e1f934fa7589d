"""Waiting for a state, not for a time."""

import asyncio
import time
from collections.abc import Callable

import psutil

from tests.chaos.tiers import HANG_SECONDS


async def eventually(holds: Callable[[], object], what: str | Callable[[], object]) -> None:
    """Return as soon as `holds()`; fail when it never does, and say `what` was waited for."""
    deadline = time.monotonic() + HANG_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(0.05)


async def until_it_works(process: psutil.Process) -> None:
    """Until it has had the processor for longer than anything small takes."""
    before = process.cpu_times().user
    await eventually(lambda: process.cpu_times().user > before + 0.2, "it works")
