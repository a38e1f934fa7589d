"""The HTTP side: OpenAI's protocol as vLLM speaks it, whole and streamed, with its health and metrics."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
from aiohttp import web

from benchmarks.simulators.vlm.answers import Answers
from benchmarks.simulators.vlm.engine import Engine, Sequence
from benchmarks.simulators.vlm.requests import Ask, Refusal, read_ask

MODEL = "PaddleOCR-VL-0.9B"

_LARGEST_BODY = 64 * 1024 * 1024

# As vLLM names them; the rest of the counters is on /simulator/counters.
_METRICS = {
    "vllm:num_requests_running": ("gauge", "running"),
    "vllm:num_requests_waiting": ("gauge", "waiting"),
    "vllm:prompt_tokens_total": ("counter", "visual_tokens"),
    "vllm:generation_tokens_total": ("counter", "tokens"),
    "vllm:request_success_total": ("counter", "finished"),
}


class VlmServer:
    """Routes over one engine."""

    def __init__(self, engine: Engine, answers: Answers) -> None:
        self._engine = engine
        self._answers = answers
        self._numbers = itertools.count()

    def application(self) -> web.Application:
        """The aiohttp application; the engine runs while it does."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.get("/metrics", self._metrics),
                web.get("/simulator/counters", self._counters),
                web.post("/v1/chat/completions", self._complete),
            ]
        )
        app.cleanup_ctx.append(self._run_engine)
        return app

    async def _run_engine(self, _: web.Application) -> AsyncIterator[None]:
        loop = asyncio.create_task(self._engine.run())
        yield
        loop.cancel()

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _metrics(self, _: web.Request) -> web.Response:
        snapshot = self._engine.snapshot()
        lines = []
        for name, (kind, field) in _METRICS.items():
            lines += [f"# TYPE {name} {kind}", f'{name}{{model_name="{MODEL}"}} {snapshot[field]}']
        return web.Response(text="\n".join(lines) + "\n")

    async def _counters(self, _: web.Request) -> web.Response:
        return web.json_response({**self._engine.snapshot(), "costs": self._engine.costs.described()})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            ask = read_ask(await request.read())
        except Refusal as refusal:
            error = {"message": str(refusal), "type": "BadRequestError", "code": 400}
            return web.json_response({"error": error}, status=400)
        length = self._answers.length(ask.prompt, ask.patches)
        sequence = self._engine.add(ask.visual_tokens, min(length, ask.most_tokens))
        reason = "length" if length > ask.most_tokens else "stop"
        try:
            if ask.stream:
                return await self._stream(request, ask, sequence, reason)
            await sequence.progress(sequence.tokens)
            return self._whole(ask, sequence, reason)
        finally:
            # The handler is cancelled the moment its client disconnects; a real server takes up to 0.3 s.
            self._engine.abort(sequence)

    def _whole(self, ask: Ask, sequence: Sequence, reason: str) -> web.Response:
        text = self._answers.text(ask.prompt, ask.patches, 0, sequence.tokens)
        choice = {**_choice(reason), "message": {"role": "assistant", "content": text}}
        body = {**self._head("chat.completion"), "choices": [choice], "usage": _usage(sequence)}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    async def _stream(
        self, request: web.Request, ask: Ask, sequence: Sequence, reason: str
    ) -> web.StreamResponse:
        head = self._head("chat.completion.chunk")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        told = 0
        while told < sequence.tokens:
            made = await sequence.progress(self._engine.costs.stream_interval)
            delta: dict[str, Any] = {"content": self._answers.text(ask.prompt, ask.patches, told, made)}
            if not told:
                delta["role"] = "assistant"
            end = reason if made == sequence.tokens else None
            event = _event({**head, "choices": [{**_choice(end), "delta": delta}]})
            if end is not None:
                usage = _event({**head, "choices": [], "usage": _usage(sequence)}) if ask.with_usage else b""
                event += usage + b"data: [DONE]\n\n"
            await response.write(event)
            told = made
        return response

    def _head(self, kind: str) -> dict[str, Any]:
        number = next(self._numbers)
        return {"id": f"chatcmpl-{number}", "object": kind, "created": int(time.time()), "model": MODEL}


def _choice(reason: str | None) -> dict[str, Any]:
    return {"index": 0, "logprobs": None, "finish_reason": reason, "stop_reason": None}


def _usage(sequence: Sequence) -> dict[str, int]:
    prompt, made = sequence.visual_tokens, sequence.tokens
    return {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made}


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"
