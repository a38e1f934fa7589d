"""A VLM server that speaks OpenAI's protocol over real HTTP on loopback, and does what a test tells it to."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

MODEL = "PaddleOCR-VL-0.9B"


@dataclass
class Completion:
    """One chat completion as it was asked for, and how much of the answer the client stayed for.

    `cancelled` when it left before the end; `pieces_sent` of an answer that was streamed; `client_port` tells
    connections apart.
    """

    prompt: str
    image: bytes
    body: dict[str, Any]
    client_port: int = 0
    authorization: str | None = None
    cancelled: bool = False
    pieces_sent: int = 0


class HangUp(Exception):
    """Raised by a reply, or a piece of one: the connection is cut and nothing more is said."""


@dataclass(frozen=True)
class Said:
    """An answer in pieces, streamed to a client that asks for a stream unless it comes `whole` all the same.

    A piece is a text, bytes of the wire, `HangUp`, or something to wait for. With no finish reason the stream
    just ends.
    """

    pieces: Iterable[str | bytes | type[HangUp] | Awaitable[object]]
    finish_reason: str | None = "stop"
    stop_reason: str | None = None
    whole: bool = False


def event(**data: object) -> bytes:
    """A server-sent event as vLLM writes it."""
    return f"data: {json.dumps(data)}\n\n".encode()


Reply = Callable[[Completion], Awaitable[str | Said | web.StreamResponse]]
Step = str | bytes | int | type[HangUp] | Said | Reply


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
    """Answer one step after another, the last for ever: an answer, a body, a status, `HangUp`, or a reply."""
    left = list(steps)

    async def reply(completion: Completion) -> str | Said | web.StreamResponse:
        step = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(step, str | Said):
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
        self.hang_health = False
        self.health_checks = 0
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
        app.add_routes(self.routes())
        # Calls in work are cut almost at once; 0 would wait for them for ever.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self._health),
            web.get("/v1/models", self._models),
            web.post("/v1/chat/completions", self._complete),
        ]

    async def stop(self) -> None:
        """Die at once: connections are cut."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def wait_for_completions(self, count: int) -> None:
        await self._wait_until(lambda: len(self.completions) >= count)

    async def wait_for_pieces(self, count: int) -> None:
        """Until so many were sent of streams."""
        await self._wait_until(lambda: sum(each.pieces_sent for each in self.completions) >= count)

    async def wait_for_health_checks(self, count: int) -> None:
        await self._wait_until(lambda: self.health_checks >= count)

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
        if self.hang_health:
            await asyncio.Event().wait()
        status = 200 if self.healthy else 503
        self.health_checks += 1
        await self._tell()
        return web.Response(status=status)

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        completion = _read(await request.json(), request.transport.get_extra_info("peername")[1])
        completion.authorization = request.headers.get("Authorization")
        self.completions.append(completion)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self._tell()
        try:
            reply = await self.reply(completion)
            if isinstance(reply, str):
                reply = Said(reply.splitlines(keepends=True))
            if isinstance(reply, web.StreamResponse):
                return reply
            if reply.whole or not completion.body.get("stream"):
                return web.json_response({"choices": [_choice(reply, message={"content": _text(reply)})]})
            return await self._stream(request, completion, reply)
        except HangUp:
            request.transport.abort()
            return web.Response()
        except (asyncio.CancelledError, ConnectionResetError):
            completion.cancelled = True
            raise
        finally:
            self.running -= 1
            await self._tell()

    async def _stream(self, request: web.Request, completion: Completion, said: Said) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}]))
        for piece in said.pieces:
            if piece is HangUp:
                raise HangUp
            if isinstance(piece, str):
                delta = {"content": piece}
                await response.write(event(choices=[{"index": 0, "delta": delta, "finish_reason": None}]))
            elif isinstance(piece, bytes):
                await response.write(piece)
            else:
                await piece
            completion.pieces_sent += 1
            await self._tell()
            await asyncio.sleep(0)  # the client reads on the same event loop
        if said.finish_reason is not None:
            await response.write(event(choices=[_choice(said, delta={})]))
            await response.write(event(choices=[], usage={"completion_tokens": completion.pieces_sent}))
        await response.write(b"data: [DONE]\n\n")
        return response


def _choice(said: Said, **content: object) -> dict[str, Any]:
    return {
        "index": 0,
        "finish_reason": said.finish_reason,
        "stop_reason": said.stop_reason,
        "logprobs": None,
        **content,
    }


def _text(said: Said) -> str:
    return "".join(piece for piece in said.pieces if isinstance(piece, str))


def _read(body: dict[str, Any], client_port: int) -> Completion:
    image, text = body["messages"][-1]["content"]
    encoded = image["image_url"]["url"].partition("base64,")[2]
    return Completion(
        prompt=text["text"], image=base64.b64decode(encoded), body=body, client_port=client_port
    )


@asynccontextmanager
async def running_vlm(*steps: Step) -> AsyncIterator[FakeVlm]:
    """A server that answers by these steps, see `script`; without any it says the prompt."""
    fake = FakeVlm(script(*steps) if steps else say_prompt)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
