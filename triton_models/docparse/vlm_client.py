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

logger = logging.getLogger(__name__)

# First pause before another attempt; doubled each time, with jitter so that callers do not return as one.
_BACKOFF_SECONDS = 0.2

# A server that could not be reached is passed over for this long while another one is there.
_COOLDOWN_SECONDS = 2.0

# A server that is up answers its health probe at once, even when its batch is full.
_PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a VLM server answered: `finish_reason` is the server's own (`stop`, `length`, ...)."""

    text: str
    finish_reason: str
    retries: int


class _Replica:
    """One VLM server and what we know of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.in_flight = 0
        self.avoid_until = 0.0


class VlmClient:
    """Balances calls over VLM servers by calls in flight; use as an async context manager."""

    def __init__(self, urls: Sequence[str], model: str, timeout_seconds: float, retries: int) -> None:
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

    async def complete(self, image: bytes, prompt: str, parameters: Mapping[str, Any]) -> Completion:
        """Ask for the completion of `prompt` on one JPEG or PNG image given as a `data:` URL's bytes.

        Cancelling the call closes its connection, at which vLLM stops generating.

        Raises:
            RegionFailure: this region was refused or kept failing; the servers are up.
            VlmUnavailable: no VLM server can be reached.
        """
        body = self._body(image, prompt, parameters)
        failure = "no attempt was made"
        for attempt in range(self._retries + 1):
            if attempt:
                await asyncio.sleep(_BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311
            replica = self._pick()
            try:
                return await self._post(replica, body, attempt)
            except (aiohttp.ClientError, TimeoutError, _ServerFault) as error:
                replica.avoid_until = time.monotonic() + _COOLDOWN_SECONDS
                failure = str(error) or type(error).__name__
                logger.warning("VLM call to %s failed: %s", replica.url, failure)
        if not await self._any_healthy():
            raise VlmUnavailable("No VLM server answers; try again later.")
        raise RegionFailure(f"The VLM server failed {self._retries + 1} times: {failure}")

    async def _post(self, replica: _Replica, body: bytes, retries: int) -> Completion:
        replica.in_flight += 1
        try:
            async with self._open_session().post(
                f"{replica.url}/v1/chat/completions",
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
            ) as response:
                answer = await response.read()
                if response.status >= 500 or response.status == 429:
                    raise _ServerFault(f"HTTP {response.status}")
                if response.status != 200:
                    raise RegionFailure(
                        f"The VLM server refused it: {_error_message(response.status, answer)}"
                    )
        finally:
            replica.in_flight -= 1
        return _read_completion(answer, retries)

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

    def _body(self, image: bytes, prompt: str, parameters: Mapping[str, Any]) -> bytes:
        content = [
            {"type": "image_url", "image_url": {"url": image.decode("ascii")}},
            {"type": "text", "text": prompt},
        ]
        return orjson.dumps(
            {"model": self._model, "messages": [{"role": "user", "content": content}], **parameters}
        )


class _ServerFault(Exception):
    """The server could not answer this time; another attempt may work."""


def _read_completion(answer: bytes, retries: int) -> Completion:
    try:
        choice = orjson.loads(answer)["choices"][0]
        text = choice["message"]["content"] or ""
        return Completion(str(text), str(choice.get("finish_reason") or "stop"), retries)
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError) as error:
        raise _ServerFault("its answer is not a chat completion") from error


def _error_message(status: int, answer: bytes) -> str:
    try:
        body = orjson.loads(answer)
        message = body.get("message") or body["error"]["message"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return f"HTTP {status}"
    return f"HTTP {status}, {str(message)[:200]}"


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
