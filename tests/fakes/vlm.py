"""A VLM server that speaks OpenAI's protocol over real HTTP on loopback, and does what a test tells it to."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

MODEL = "PaddleOCR-VL-0.9B"


@dataclass
class Completion:
    """One chat completion as it was asked for; `cancelled` when the client left before the answer."""

    prompt: str
    image: bytes
    body: dict[str, Any]
    cancelled: bool = False


class HangUp(Exception):
    """Raised by a reply: the connection is cut and nothing answered."""


Reply = Callable[[Completion], Awaitable[str | web.StreamResponse]]
Step = str | bytes | int | type[HangUp] | Reply


async def say_prompt(completion: Completion) -> str:
    return f"text for {completion.prompt}"


async def hang(completion: Completion) -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return ""


def refusal(status: int, message: str = "no reason given") -> web.Response:
    """An error as vLLM words it."""
    return web.json_response({"error": {"message": message}}, status=status)


def script(*steps: Step) -> Reply:
    """Answer one step after another, the last for ever: a text, a body, a status, `HangUp`, or a reply."""
    left = list(steps)

    async def reply(completion: Completion) -> str | web.StreamResponse:
        step = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(step, str):
            return step
        if isinstance(step, bytes):
            return web.Response(body=step)
        if isinstance(step, int):
            return refusal(step)
        if step is HangUp:
            raise HangUp
        return await step(completion)

    return reply


class FakeVlm:
    """`reply` answers each completion, by text or a whole response; `completions` keeps what came in."""

    def __init__(self, reply: Reply = say_prompt) -> None:
        self.reply = reply
        self.completions: list[Completion] = []
        self.changed = asyncio.Condition()
        self.healthy = True
        self.running = 0
        self.most_running = 0
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; after `stop`, on the same port again."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.post("/v1/chat/completions", self._complete),
            ]
        )
        # Calls in work are cut almost at once; 0 would wait for them for ever.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Die at once: connections are cut."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def wait_for_completions(self, count: int) -> None:
        await self._wait_until(lambda: len(self.completions) >= count)

    async def wait_until_idle(self) -> None:
        """Until every completion is answered, or its client has left."""
        await self._wait_until(lambda: self.running == 0)

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        completion = _read(await request.json())
        self.completions.append(completion)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self._tell()
        try:
            reply = await self.reply(completion)
        except HangUp:
            request.transport.abort()
            return web.Response()
        except asyncio.CancelledError:
            completion.cancelled = True
            raise
        finally:
            self.running -= 1
            await self._tell()
        if isinstance(reply, web.StreamResponse):
            return reply
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice]}
        )


def _read(body: dict[str, Any]) -> Completion:
    image, text = body["messages"][-1]["content"]
    encoded = image["image_url"]["url"].partition("base64,")[2]
    return Completion(prompt=text["text"], image=base64.b64decode(encoded), body=body)


@asynccontextmanager
async def running_vlm(*steps: Step) -> AsyncIterator[FakeVlm]:
    """A server that answers by these steps, see `script`; without any it says the prompt."""
    fake = FakeVlm(script(*steps) if steps else say_prompt)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
