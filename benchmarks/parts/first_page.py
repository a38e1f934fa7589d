"""The first page of a long PDF, streamed, against a PDF of one page."""

import asyncio

import aiohttp

from benchmarks.measure.clients import ask_streamed, open_session
from benchmarks.measure.device import wait_until_idle
from benchmarks.measure.statistics import median, rounded
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.workloads.documents import make_pdf
from benchmarks.workloads.requests import Job, make_job

_LONG_PAGES = 300
_TURNS = 5


async def measure_first_page(bench: Workbench) -> PartResult:
    """In turns. Whoever has seen the first page of the long one hangs up."""
    services = bench.running
    single, long = [], []
    async with open_session() as session:
        for turn in range(-1, round(_TURNS * bench.effort.repeats / 2)):
            seed = 3000 + turn
            taken = [
                await _first_page(
                    session, services.product, make_job(make_pdf(pages, seed), pages, is_pdf=True)
                )
                for pages in (1, _LONG_PAGES)
            ]
            await wait_until_idle(services.vlm)
            if turn >= 0:  # the first turn is to warm up
                single.append(taken[0])
                long.append(taken[1])
    ratio = median(long) / median(single)
    bench.say(f"alone {median(single):.2f} s, first of {_LONG_PAGES} {median(long):.2f} s")
    details = {"alone_seconds": rounded(single, 3), "first_of_long_seconds": rounded(long, 3)}
    note = "the baseline sends no page before the last"
    return PartResult([Measured("first_page", ratio, ratio, None, "times alone", note, details)])


async def _first_page(session: aiohttp.ClientSession, url: str, job: Job) -> float:
    came: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def note(seconds: float) -> None:
        if not came.done():
            came.set_result(seconds)

    asking = asyncio.create_task(ask_streamed(session, url, job, note))
    await asyncio.wait([asking, came], return_when=asyncio.FIRST_COMPLETED)
    if not came.done():
        asking.result()  # raises what went wrong
    asking.cancel()
    await asyncio.wait([asking])
    return came.result()
