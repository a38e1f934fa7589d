"""The simulated VLM's counters over time."""

import asyncio
import bisect
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.stack.vlm import SimulatedVlm, Snapshot

_SAMPLE_SECONDS = 0.25
_IDLE_SECONDS = 1.0


class DeviceRecord:
    """Snapshots in the order of time."""

    def __init__(self) -> None:
        self._snapshots: list[Snapshot] = []

    def add(self, snapshot: Snapshot) -> None:
        """The next one."""
        self._snapshots.append(snapshot)

    def between(self, first: float, last: float) -> dict[str, float]:
        """What was counted between the snapshots next to these two times."""
        return self._nearest(last).since(self._nearest(first))

    def _nearest(self, at: float) -> Snapshot:
        times = [snapshot["at_seconds"] for snapshot in self._snapshots]
        after = min(bisect.bisect(times, at), len(times) - 1)
        return min(
            (self._snapshots[max(0, after - 1)], self._snapshots[after]),
            key=lambda snapshot: abs(snapshot["at_seconds"] - at),
        )


@asynccontextmanager
async def recording(vlm: SimulatedVlm) -> AsyncIterator[DeviceRecord]:
    """Take a snapshot four times a second while entered. The clock is the machine's own, as ours."""
    record = DeviceRecord()

    async def sample() -> None:
        while True:
            record.add(await asyncio.to_thread(vlm.snapshot))
            await asyncio.sleep(_SAMPLE_SECONDS)

    sampler = asyncio.create_task(sample())
    try:
        yield record
    finally:
        record.add(await asyncio.to_thread(vlm.snapshot))
        sampler.cancel()


async def wait_until_idle(vlm: SimulatedVlm, at_most_seconds: float = 180.0) -> None:
    """Until the device has had nothing to do for a second: what was left behind is done.

    The baseline goes on with documents that nobody waits for.
    """
    deadline = time.monotonic() + at_most_seconds
    idle_since, requests = time.monotonic(), -1
    while time.monotonic() < deadline:
        snapshot = await asyncio.to_thread(vlm.snapshot)
        if snapshot["running"] or snapshot["waiting"] or snapshot["requests"] != requests:
            idle_since, requests = time.monotonic(), snapshot["requests"]
        elif time.monotonic() - idle_since > _IDLE_SECONDS:
            return
        await asyncio.sleep(_SAMPLE_SECONDS)
