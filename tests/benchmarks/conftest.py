from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from benchmarks.simulators.vlm.answers import Answers
from benchmarks.simulators.vlm.costs import VlmCosts
from benchmarks.simulators.vlm.engine import Engine
from benchmarks.simulators.vlm.server import VlmServer


class RunningVlm:
    """The simulated VLM on loopback, in this event loop, and a client of it."""

    def __init__(self, engine: Engine, session: aiohttp.ClientSession) -> None:
        self.engine = engine
        self.session = session

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        async with self.session.post("/v1/chat/completions", data=body, headers=headers) as answer:
            return answer.status, await answer.read()


@pytest.fixture
def costs() -> VlmCosts:
    """A device ten times as fast as the benchmark's, so that tests are short."""
    return VlmCosts().faster(10)


@pytest.fixture
async def vlm(costs: VlmCosts) -> AsyncIterator[RunningVlm]:
    engine = Engine(costs)
    runner = web.AppRunner(
        VlmServer(engine, Answers(costs, seed=1)).application(),
        handler_cancellation=True,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
        yield RunningVlm(engine, session)
    await runner.cleanup()
