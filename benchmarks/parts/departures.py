"""Clients that leave: what the VLM still makes for them a second later."""

import asyncio

import aiohttp

from benchmarks.measure.clients import ask_whole, open_session
from benchmarks.measure.device import wait_until_idle
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services
from benchmarks.workloads.documents import make_pdf
from benchmarks.workloads.requests import make_job

_CLIENTS = 4
_PAGES = 20
_WORK_SECONDS = 3.0
_GRACE_SECONDS = 1.0
_WATCH_SECONDS = 3.0


async def measure_departures(bench: Workbench) -> PartResult:
    """Both services, one after the other; nobody else asks meanwhile, so every token is one too many."""
    services = bench.running
    async with open_session() as session:
        ours = await _tokens_after(services, session, services.product)
        theirs = await _tokens_after(services, session, str(services.reference))
    bench.say(f"tokens in the 3 s from 1 s after: product {ours:.0f}, baseline {theirs:.0f}")
    note = f"{_CLIENTS} clients with {_PAGES} pages each, watched for {_WATCH_SECONDS:.0f} s"
    return PartResult([Measured("departed_tokens", ours, ours, theirs, "tokens", note)])


async def _tokens_after(services: Services, session: aiohttp.ClientSession, url: str) -> float:
    jobs = [make_job(make_pdf(_PAGES, seed), _PAGES, is_pdf=True) for seed in range(4000, 4000 + _CLIENTS)]
    clients = [asyncio.create_task(ask_whole(session, url, job)) for job in jobs]
    await asyncio.sleep(_WORK_SECONDS)
    if (await asyncio.to_thread(services.vlm.snapshot))["running"] == 0:
        raise RuntimeError("the VLM has nothing to do when the clients leave, so nothing is measured")
    for client in clients:
        client.cancel()
    await asyncio.wait(clients)
    await asyncio.sleep(_GRACE_SECONDS)
    before = await asyncio.to_thread(services.vlm.snapshot)
    await asyncio.sleep(_WATCH_SECONDS)
    after = await asyncio.to_thread(services.vlm.snapshot)
    await wait_until_idle(services.vlm)
    return after.since(before)["tokens"]
