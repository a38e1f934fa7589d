"""What counts as a healthy VLM server, in the statuses of each engine."""

import aiohttp
import pytest
from aiohttp import web

from gateway.upstreams.vlm import VlmProbe


@pytest.mark.parametrize(
    ("status", "healthy"),
    [
        (200, True),  # vLLM, FastDeploy, SGLang, the embedded engine
        (503, False),  # vLLM and SGLang, whose engine is dead or not loaded
        (404, False),  # FastDeploy, whose engine is not there
        (304, False),  # FastDeploy, whose workers are not alive
    ],
)
async def test_only_200_is_healthy_whatever_an_engine_says_instead(status, healthy):
    async def health(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            assert await VlmProbe(url, session).is_healthy(5) is healthy
    finally:
        await runner.cleanup()
