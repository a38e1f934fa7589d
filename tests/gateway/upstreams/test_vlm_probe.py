"""What counts as a healthy VLM server, in the words of each engine: the same for the gateway and for the pipeline."""

import time

import aiohttp
import pytest
from aiohttp import web

from docparse.vlm_replicas import Circuit, Replica
from docparse.vlm_transport import VlmTransport
from gateway.upstreams.vlm import VlmProbe

OTHERS = {"Content-Type": "text/plain"}
ANSWERS = {
    "vLLM, FastDeploy, SGLang, the embedded engine": (200, {}, True),
    "vLLM and SGLang, whose engine is dead or not loaded": (503, {}, False),
    "any that is broken": (500, OTHERS, False),
    "FastDeploy, whose engine is not there or hangs": (404, {}, False),
    "FastDeploy, whose workers are not alive": (304, {}, False),
    "one that has no such route": (404, OTHERS, True),
    "one that wants a key for it": (401, OTHERS, True),
    "one that has it for another method": (405, OTHERS, True),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("tier", ["gateway", "pipeline"])
async def test_a_server_that_says_that_it_is_not_well_is_not_healthy_and_one_that_has_no_word_for_it_is(
    tier, name
):
    status, headers, healthy = ANSWERS[name]

    async def health(_: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    async def take_type_away(_: web.Request, response: web.StreamResponse) -> None:
        if not headers:
            response.headers.pop("Content-Type", None)

    app = web.Application()
    app.router.add_get("/health", health)
    app.on_response_prepare.append(take_type_away)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert await ask(tier, url) is healthy
    finally:
        await runner.cleanup()


async def ask(tier: str, url: str) -> bool:
    if tier == "gateway":
        async with aiohttp.ClientSession() as session:
            return await VlmProbe(url, session).is_healthy(5)
    replica = Replica(url, Circuit(1, 1.0, time.monotonic))
    async with VlmTransport([replica], {}, 10) as transport:
        return await transport.is_alive(replica)
