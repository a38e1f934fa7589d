"""Pages per second of single pages by how many are in flight; for the plot."""

import time

from benchmarks.measure.clients import Loops, open_session
from benchmarks.measure.device import recording, wait_until_idle
from benchmarks.parts.mixed import burst_ends
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services
from benchmarks.stack.vlm import busy_fraction
from benchmarks.workloads.documents import make_scan
from benchmarks.workloads.requests import Job, make_job

_IN_FLIGHT = (1, 4, 16)
_SCANS = 24
_WARM_UP_SECONDS = 4.0
_SECONDS = 10.0
_BURST_SECONDS = 0.6


async def measure_sweep(bench: Workbench) -> PartResult:
    """Both services at each step."""
    services = bench.running
    scans = [make_job(make_scan(seed), 1, is_pdf=False) for seed in range(_SCANS)]
    points = []
    for in_flight in _IN_FLIGHT:
        seconds = _SECONDS * bench.effort.seconds
        point = {"in_flight": in_flight}
        for name, url in (("product", services.product), ("baseline", str(services.reference))):
            point[name], point[f"{name}_busy"] = await _rate(services, url, scans, in_flight, seconds)
        bench.say(
            f"{in_flight:>3} in flight: product {point['product']:.2f} pages/s, baseline {point['baseline']:.2f}"
        )
        points.append(point)
    last = points[-1]
    ratio = last["product"] / last["baseline"]
    return PartResult(
        [Measured("single_pages", ratio, last["product"], last["baseline"], "pages/s")],
        {"throughput": points},
    )


async def _rate(
    services: Services, url: str, scans: list[Job], in_flight: int, seconds: float
) -> tuple[float, float]:
    async with open_session() as session, recording(services.vlm) as record:
        async with Loops(session, url) as loops:
            for number in range(in_flight):
                loops.add(scans, start=number * 7)
            await loops.run_for(_WARM_UP_SECONDS)
            first = time.monotonic()
            await loops.run_for(seconds)
            last = time.monotonic()
            await loops.drain()  # the baseline would go on with what was left
        await wait_until_idle(services.vlm)
    if url == services.reference:  # from burst to burst of answers, as far as there are two
        bursts = [at for at in burst_ends(loops.finished, last, _BURST_SECONDS) if at > first]
        if len(bursts) > 1:
            first, last = bursts[0], bursts[-1]
    pages = loops.finished.pages_between(first, last)
    return pages / (last - first), busy_fraction(record.between(first, last))
