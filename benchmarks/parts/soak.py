"""Many small requests: does any process of the product grow."""

import asyncio
import time

from benchmarks.measure.clients import Loops, open_session
from benchmarks.measure.processes import MemoryRecord
from benchmarks.measure.statistics import median
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import running_pipelines
from benchmarks.workloads.documents import make_small_image
from benchmarks.workloads.requests import make_job

_CLIENTS = 16
_IMAGES = 12
_FASTER = 20.0

# Before this part of the requests the processes are still filling what they keep.
_WARM_UP_PART = 0.2

_ROLES = ("gateway", "triton", "layout-parsing", "layout-parsing workers", "layout-detection")


async def measure_soak(bench: Workbench) -> PartResult:
    """Small images as fast as the host can; the median memory of each process, second half against first."""
    requests = bench.effort.soak_requests
    jobs = [make_job(make_small_image(seed), 1, is_pdf=False) for seed in range(_IMAGES)]
    with running_pipelines(bench.folder / "soak", baseline=False, faster=_FASTER) as services:
        roles = services.roles()
        processes = {
            f"{role} {number}": [process]
            for role in _ROLES
            for number, process in enumerate(roles.get(role, []))
        }
        async with open_session() as session, Loops(session, services.product) as loops:
            for number in range(_CLIENTS):
                loops.add(jobs, start=number)
            await _until(loops, round(requests * _WARM_UP_PART))
            began = time.monotonic()
            done = len(loops.finished.documents)
            with MemoryRecord(processes) as memory:
                await _until(loops, requests)
            rate = (len(loops.finished.documents) - done) / (time.monotonic() - began)
    growth = {name: _growth(samples) for name, samples in memory.samples.items()}
    worst = max(growth, key=lambda name: growth[name])
    bench.say(f"{requests} requests, {rate:.0f} a second; most growth: {worst} {growth[worst]:.3f}")
    details = {
        "growth": {name: round(value, 4) for name, value in growth.items()},
        "requests_per_second": round(rate, 1),
        "last_bytes": {name: samples[-1] for name, samples in memory.samples.items()},
    }
    note = f"{requests} requests; the process that grew most: {worst}"
    return PartResult([Measured("soak", growth[worst], growth[worst], None, "times", note, details)])


async def _until(loops: Loops, requests: int) -> None:
    while len(loops.finished.documents) < requests:
        await loops.run_for(0.2)
        await asyncio.sleep(0)


def _growth(samples: list[int]) -> float:
    half = len(samples) // 2
    return median(samples[half:]) / median(samples[:half])
