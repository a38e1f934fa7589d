"""Calls to the VLM servers, by OpenAI's chat completions protocol; the pipeline's only network code."""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from docparse.errors import RegionFailure, VlmUnavailable
from docparse.repetition import LoopRule
from docparse.vlm_answers import (
    EVENT_STREAM,
    Answer,
    AnswerStream,
    FinishReason,
    Refused,
    ServerFault,
    read_answer,
    read_error,
)
from docparse.vlm_dialects import DIALECTS, Dialect

logger = logging.getLogger(__name__)

# First pause before another attempt; doubled each time, with jitter so that callers do not return as one.
_BACKOFF_SECONDS = 0.2

# A server that could not be reached is passed over for this long while another one is there.
_COOLDOWN_SECONDS = 2.0

# A server that is up answers its health probe at once, even when its batch is full.
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a VLM server answered, after how many attempts that failed; see `Answer`."""

    text: str
    finish_reason: FinishReason
    retries: int


class _Replica:
    """One VLM server and what we know of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.in_flight = 0
        self.avoid_until = 0.0


class VlmClient:
    """Balances calls over VLM servers by calls in flight; use as an async context manager."""

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        timeout_seconds: float,
        retries: int,
        dialect: Dialect = DIALECTS["vllm"],
    ) -> None:
        self._dialect = dialect
        self._replicas = [_Replica(url) for url in urls]
        self._model = model
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=5.0)
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # No limit here: how many calls may be in flight is decided by the caller's fair limiter.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30), json_serialize=_dumps
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; calls in flight fail."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def complete(
        self, image: bytes, prompt: str, parameters: Mapping[str, Any], watch: LoopRule | None = None
    ) -> Completion:
        """Ask for the completion of `prompt` on one JPEG or PNG image given as a `data:` URL's bytes.

        Cancelling the call closes its connection, at which vLLM stops generating.

        Args:
            image: the URL.
            prompt: the words of the task.
            parameters: of the call, under OpenAI's or vLLM's names.
            watch: with it the answer is streamed, and the connection closed once the text loops. A server that
                answers whole all the same is understood.

        Raises:
            RegionFailure: this region was refused or kept failing; the servers are up.
            VlmUnavailable: no VLM server can be reached.
        """
        body = self._body(image, prompt, parameters, stream=watch is not None)
        failure = "no attempt was made"
        for attempt in range(self._retries + 1):
            if attempt:
                await asyncio.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311
            replica = self._pick()
            try:
                answer = await self._post(replica, body, watch)
                return Completion(answer.text, answer.finish_reason, retries=attempt)
            except Refused as refusal:
                raise RegionFailure(f"The VLM server refused it: {refusal}", retries=attempt) from refusal
            except (aiohttp.ClientError, TimeoutError, ServerFault) as error:
                replica.avoid_until = time.monotonic() + _COOLDOWN_SECONDS
                failure = str(error) or type(error).__name__
                logger.warning("VLM call to %s failed: %s", replica.url, failure)
        if not await self._any_healthy():
            raise VlmUnavailable("No VLM server answers; try again later.")
        raise RegionFailure(
            f"The VLM server failed {self._retries + 1} times: {failure}", retries=self._retries
        )

    async def _post(self, replica: _Replica, body: bytes, watch: LoopRule | None) -> Answer:
        replica.in_flight += 1
        try:
            async with self._open_session().post(
                f"{replica.url}/v1/chat/completions",
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
            ) as response:
                if response.status != 200:
                    raise read_error(response.status, await response.read())
                if watch is None or response.content_type != EVENT_STREAM:
                    return read_answer(await response.read())
                return await _follow(response, AnswerStream(watch))
        finally:
            replica.in_flight -= 1

    def _pick(self) -> _Replica:
        now = time.monotonic()
        return min(self._replicas, key=lambda replica: (replica.avoid_until > now, replica.in_flight))

    async def _any_healthy(self) -> bool:
        return any(await asyncio.gather(*(self._is_healthy(replica) for replica in self._replicas)))

    async def _is_healthy(self, replica: _Replica) -> bool:
        try:
            async with self._open_session().get(
                f"{replica.url}/health", timeout=aiohttp.ClientTimeout(total=_PROBE_SECONDS)
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the VLM client is not open")
        return self._session

    def _body(self, image: bytes, prompt: str, parameters: Mapping[str, Any], *, stream: bool) -> bytes:
        content = [
            {"type": "image_url", "image_url": {"url": image.decode("ascii")}},
            {"type": "text", "text": prompt},
        ]
        messages = [{"role": "user", "content": content}]
        streaming = {"stream": True} if stream else {}
        said = self._dialect.translate(parameters)
        return orjson.dumps({"model": self._model, "messages": messages, **said, **streaming})


async def _follow(response: aiohttp.ClientResponse, stream: AnswerStream) -> Answer:
    async for data in response.content.iter_any():
        if stream.feed(data):
            response.close()  # at which the server stops generating
            break
    return stream.answer()


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
