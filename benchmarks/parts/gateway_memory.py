"""What a gateway needs for large bodies in flight. Over stand-ins that hold each request for a while."""

import asyncio

import aiohttp

from benchmarks.measure.clients import ask_whole, open_session
from benchmarks.measure.processes import forget_peak, peak_resident_bytes, resident_bytes
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.simulators.stand_in import hold_id
from benchmarks.stack.services import Services
from benchmarks.workloads.documents import make_noise_image
from benchmarks.workloads.requests import make_job

_BODIES = 16
_BODY_BYTES = 20_000_000
# Long enough for all of them to be in flight together.
_HOLD_SECONDS = 5.0


async def measure_gateway_memory(bench: Workbench) -> PartResult:
    """The peak above what the gateway has when idle, for each byte of the bodies."""
    services = bench.running
    document = make_noise_image(_BODY_BYTES * 3 // 4, seed=0)
    async with open_session() as session:
        theirs = await _bytes_per_body_byte(services, session, "reference", document)
        ours = await _bytes_per_body_byte(services, session, "product", document)
    bench.say(f"bytes per body byte: product {ours:.2f}, baseline {theirs:.2f}")
    note = f"{_BODIES} bodies of {_BODY_BYTES // 1_000_000} MB, one worker; stand-in for the pipeline"
    return PartResult([Measured("gateway_memory", ours, ours, theirs, "bytes per body byte", note)])


async def _bytes_per_body_byte(
    services: Services, session: aiohttp.ClientSession, name: str, document: bytes
) -> float:
    url = services.product if name == "product" else str(services.reference)
    await ask_whole(session, url, make_job(document[:100_000], 1, is_pdf=False))  # warm
    pids = services.gateway_pids(name)
    idle = sum(map(resident_bytes, pids))
    for pid in pids:
        forget_peak(pid)
    bodies = 0
    async with asyncio.TaskGroup() as group:
        for number in range(_BODIES):
            job = make_job(document, 1, is_pdf=False, log_id=hold_id(_HOLD_SECONDS, number))
            bodies += len(job.body)
            group.create_task(ask_whole(session, url, job))
    return (sum(map(peak_resident_bytes, pids)) - idle) / bodies
