"""A single page alone and beside three 100-page PDFs: how much the neighbours cost it."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp

from benchmarks.measure.clients import Loops, ask_whole, open_session
from benchmarks.measure.device import wait_until_idle
from benchmarks.measure.statistics import percentile, rounded
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services
from benchmarks.workloads.documents import make_pdf, make_scan
from benchmarks.workloads.requests import Job, make_job

_PDFS = 3
_PDF_PAGES = 100
_SCANS = 16
# For the PDFs to be everywhere in the pipeline.
_SETTLE_SECONDS = 4.0
# The baseline answers a few pages in the time of its three PDFs; these clients make it a few more.
_BASELINE_CLIENTS = 6
_BASELINE_ALONE = 6


async def measure_beside(bench: Workbench) -> PartResult:
    """The product in turns, alone and beside, over the same pages; the baseline once."""
    services = bench.running
    scans = [make_job(make_scan(seed), 1, is_pdf=False) for seed in range(_SCANS)]
    pdfs = [
        make_job(make_pdf(_PDF_PAGES, seed), _PDF_PAGES, is_pdf=True) for seed in range(2000, 2000 + _PDFS)
    ]
    alone: list[float] = []
    beside: list[float] = []
    async with open_session() as session:
        await ask_whole(session, services.product, scans[0])  # warm
        for _ in range(bench.effort.repeats):
            alone += [await ask_whole(session, services.product, scan) for scan in scans]
            beside += await _product_beside(services, session, scans, pdfs)
            bench.say(f"product  alone {_describe(alone)}; beside {_describe(beside)}")
        theirs_alone = [
            await ask_whole(session, str(services.reference), each) for each in scans[:_BASELINE_ALONE]
        ]
        theirs_beside = await _baseline_beside(services, session, scans, pdfs)
        bench.say(f"baseline alone {_describe(theirs_alone)}; beside {_describe(theirs_beside)}")
    return _result(alone, beside, theirs_alone, theirs_beside)


async def _product_beside(
    services: Services, session: aiohttp.ClientSession, scans: list[Job], pdfs: list[Job]
) -> list[float]:
    async with Loops(session, services.product) as loops:
        for number in range(_PDFS):
            loops.add(pdfs, start=number, stream=True)
        await loops.run_for(_SETTLE_SECONDS)
        taken = [await ask_whole(session, services.product, scan) for scan in scans]
        loops.check()
    await wait_until_idle(services.vlm)
    return taken


async def _baseline_beside(
    services: Services, session: aiohttp.ClientSession, scans: list[Job], pdfs: list[Job]
) -> list[float]:
    """Pages that are asked for while the three PDFs are in work: each until its answer."""
    url = str(services.reference)
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for pdf in pdfs:
            group.create_task(ask_whole(session, url, pdf))
        await asyncio.sleep(_SETTLE_SECONDS)
        asking = [group.create_task(ask_whole(session, url, scan)) for scan in scans[:_BASELINE_CLIENTS]]
    return [task.result() for task in asking]


def _result(
    alone: list[float], beside: list[float], theirs_alone: list[float], theirs_beside: list[float]
) -> PartResult:
    ours = percentile(beside, 95) / percentile(alone, 95)
    theirs = percentile(theirs_beside, 95) / percentile(theirs_alone, 95)
    details = {
        "product_alone_seconds": rounded(alone, 3),
        "product_beside_seconds": rounded(beside, 3),
        "baseline_alone_seconds": rounded(theirs_alone, 3),
        "baseline_beside_seconds": rounded(theirs_beside, 3),
    }
    note = f"p95 of {len(beside)} pages; the baseline's of {len(theirs_beside)}"
    return PartResult([Measured("beside", ours, ours, theirs, "times alone", note, details)])


def _describe(values: list[float]) -> str:
    return f"p50 {percentile(values, 50):.2f} s, p95 {percentile(values, 95):.2f} s (n={len(values)})"
