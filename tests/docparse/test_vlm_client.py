import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from docparse.errors import RegionFailure, VlmUnavailable
from docparse.vlm_client import VlmClient

IMAGE = b"data:image/jpeg;base64,AAAA"


class ScriptedVlm:
    """A VLM server that answers what each test says, and remembers what it was asked."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.calls: list[dict] = []
        self.healthy = True
        self.hanging = asyncio.Event()
        self.left = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/health", self._health)
        self.server = TestServer(app, port=0)

    async def __aenter__(self) -> "ScriptedVlm":
        await self.server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.close()

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(await request.json())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step == "drop":
            request.transport.abort()
            return web.Response()
        if step == "hang":
            self.hanging.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.left.set()
        if isinstance(step, int):
            return web.json_response({"error": {"message": "no reason given"}}, status=step)
        if isinstance(step, bytes):
            return web.Response(body=step)
        return web.json_response({"choices": [{"message": {"content": step}, "finish_reason": "stop"}]})


def client_for(*vlms: ScriptedVlm, retries: int = 2, timeout_seconds: float = 30) -> VlmClient:
    return VlmClient([vlm.url for vlm in vlms], "PaddleOCR-VL-0.9B", timeout_seconds, retries)


async def test_a_call_carries_the_picture_the_prompt_and_the_parameters():
    async with ScriptedVlm("hello") as vlm, client_for(vlm) as client:
        completion = await client.complete(IMAGE, "OCR:", {"temperature": 0.0})
    assert (completion.text, completion.finish_reason, completion.retries) == ("hello", "stop", 0)
    (call,) = vlm.calls
    assert call["model"] == "PaddleOCR-VL-0.9B"
    assert call["temperature"] == 0.0
    assert call["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": IMAGE.decode()}},
        {"type": "text", "text": "OCR:"},
    ]


@pytest.mark.parametrize("fault", ["drop", 500, 503, 429, b"no json", b'{"choices":[]}'])
async def test_a_fault_of_the_server_or_the_wire_is_tried_again(fault):
    async with ScriptedVlm(fault, "hello") as vlm, client_for(vlm) as client:
        completion = await client.complete(IMAGE, "OCR:", {})
    assert (completion.text, completion.retries) == ("hello", 1)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_is_not_tried_again_and_costs_only_its_region(status):
    async with ScriptedVlm(status) as vlm, client_for(vlm) as client:
        with pytest.raises(RegionFailure, match=f"{status}, no reason given"):
            await client.complete(IMAGE, "OCR:", {})
    assert len(vlm.calls) == 1


async def test_a_region_that_keeps_failing_on_a_healthy_server_is_a_region_failure():
    async with ScriptedVlm(500) as vlm, client_for(vlm) as client:
        with pytest.raises(RegionFailure, match="3 times"):
            await client.complete(IMAGE, "OCR:", {})
    assert len(vlm.calls) == 3


async def test_a_server_that_is_gone_is_said_to_be_unavailable():
    async with ScriptedVlm("never") as vlm:
        url = vlm.url
    async with VlmClient([url], "m", 30, retries=1) as client:
        with pytest.raises(VlmUnavailable):
            await client.complete(IMAGE, "OCR:", {})


async def test_a_server_that_hangs_is_given_up_after_its_timeout():
    async with ScriptedVlm("hang") as vlm, client_for(vlm, retries=0, timeout_seconds=0.2) as client:
        with pytest.raises(RegionFailure):
            await client.complete(IMAGE, "OCR:", {})


async def test_a_failed_call_goes_to_another_server():
    async with ScriptedVlm(500) as broken, ScriptedVlm("hello") as sound, client_for(broken, sound) as client:
        for _ in range(3):
            assert (await client.complete(IMAGE, "OCR:", {})).text == "hello"
    assert len(broken.calls) <= 1


async def test_a_cancelled_call_closes_its_connection():
    async with ScriptedVlm("hang") as vlm, client_for(vlm) as client:
        call = asyncio.create_task(client.complete(IMAGE, "OCR:", {}))
        async with asyncio.timeout(10):
            await vlm.hanging.wait()
            call.cancel()
            await vlm.left.wait()
