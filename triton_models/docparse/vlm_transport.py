"""HTTP to the VLM servers: a call and its answer, and whether a server lives. The pipeline's only network code."""

import asyncio
import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp

from docparse.repetition import LoopRule
from docparse.vlm_answers import (
    EVENT_STREAM,
    Answer,
    AnswerStream,
    CallLost,
    ServerFault,
    ServerGone,
    read_answer,
    read_error,
)
from docparse.vlm_replicas import CallInFlight, Replica

_CONNECT_SECONDS = 5.0

# From which on aiohttp itself warns of a body in one piece.
_LARGE_BYTES = 2**20

# Less than the 5 s after which uvicorn, and with it vLLM, closes a connection that is idle: a call that is sent in
# that instant is lost.
_KEEP_ALIVE_SECONDS = 4.0

# A server that is up answers its health probe at once, even when its batch is full.
_PROBE_SECONDS = 5.0

# A server that is silent for so long while it has calls is asked whether it lives.
SILENCE_SECONDS = 10.0
_LOOK_SECONDS = 1.0


class VlmTransport:
    """Connections to all VLM servers; use as an async context manager."""

    def __init__(
        self,
        replicas: Iterable[Replica],
        headers: Mapping[str, str],
        silence_seconds: float,
    ) -> None:
        """`silence_seconds`: after which a server is asked whether it lives."""
        self._replicas = tuple(replicas)
        self._headers = {"Content-Type": "application/json", **headers}
        self._silence_seconds = silence_seconds
        self._probe_seconds = min(_PROBE_SECONDS, silence_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._probes: dict[Replica, asyncio.Task[bool]] = {}

    async def __aenter__(self) -> Self:
        # No limit here: how many calls may be in flight is decided by the caller's fair limiter.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        self._watcher = asyncio.create_task(self._watch_silence())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._watcher, *self._probes.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, replica: Replica, body: bytes, watch: LoopRule | None, seconds: float) -> Answer:
        """One call, at most so many seconds long.

        Raises:
            ServerGone, CallLost, ServerBusy, ServerBroken, ServerFault, Refused: as they say.
        """
        stream = None if watch is None else AnswerStream(watch)
        if not replica.calls:
            replica.heard_at = asyncio.get_running_loop().time()
        call = CallInFlight(asyncio.timeout(seconds))
        try:
            async with call.timeout:
                with replica.counting(call):
                    return await self._exchange(replica, body, stream)
        except TimeoutError as error:
            if call.is_cut or not call.timeout.expired():
                raise ServerGone("it does not answer") from error
            raise ServerFault(f"no answer within {seconds:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise ServerGone("nobody listens there") from error
        except aiohttp.ClientError as error:
            had_begun = stream is not None and stream.has_text
            raise CallLost("the connection broke", had_begun=had_begun) from error

    async def _exchange(self, replica: Replica, body: bytes, stream: AnswerStream | None) -> Answer:
        loop = asyncio.get_running_loop()
        async with self._open_session().post(
            f"{replica.url}/v1/chat/completions",
            # A large one in pieces, between which others have their turn on the event loop.
            data=body if len(body) <= _LARGE_BYTES else io.BytesIO(body),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
        ) as response:
            replica.heard_at = loop.time()
            if response.status != 200:
                raise read_error(response.status, await response.read(), response.headers.get("Retry-After"))
            if stream is None or response.content_type != EVENT_STREAM:
                return read_answer(await response.read())
            async for data in response.content.iter_any():
                replica.heard_at = loop.time()
                if stream.feed(data):
                    response.close()  # at which the server stops generating
                    break
            return stream.answer()

    async def is_alive(self, replica: Replica) -> bool:
        """Whether it answers its health probe; those who ask at the same time share one."""
        probe = self._probes.get(replica)
        if probe is None:
            probe = self._probes[replica] = asyncio.create_task(self._probe(replica))
            probe.add_done_callback(lambda _: self._probes.pop(replica, None))
        return await asyncio.shield(probe)

    async def _probe(self, replica: Replica) -> bool:
        try:
            async with self._open_session().get(
                f"{replica.url}/health", timeout=aiohttp.ClientTimeout(total=self._probe_seconds)
            ) as response:
                return _says_it_is_well(response)
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _watch_silence(self) -> None:
        """Ends the calls of a server that hangs; each would else wait for its own time to be up."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._silence_seconds / 4))
            for replica in self._replicas:
                if replica.calls and loop.time() - replica.heard_at > self._silence_seconds:
                    await self._look_at(replica)

    async def _look_at(self, replica: Replica) -> None:
        # Twice, for one probe may be lost where a machine is at its limits.
        if await self.is_alive(replica) or await self.is_alive(replica):
            replica.heard_at = asyncio.get_running_loop().time()
            return
        for call in list(replica.calls):
            call.is_cut = True
            with suppress(RuntimeError):  # it is just ending by itself
                call.timeout.reschedule(asyncio.get_running_loop().time())

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the VLM client is not open")
        return self._session


def _says_it_is_well(response: aiohttp.ClientResponse) -> bool:
    """As the gateway reads it. A server without a health route says so by a 4xx, and lives.

    FastDeploy, which is unwell, says 404 without a type of content, or 304.
    """
    if response.status == HTTPStatus.NOT_FOUND:
        return "Content-Type" in response.headers
    return response.status // 100 in (2, 4)
