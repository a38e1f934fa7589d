"""The real application behind a real uvicorn, with fakes of what is behind it; all on loopback, one loop."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from gateway.http_protocol import HttpProtocol
from gateway.main import create_app
from gateway.models.example import EXAMPLE_PNG_BASE64
from gateway.settings import Settings
from tests.fakes.triton import FakeTriton

PNG = base64.b64decode(EXAMPLE_PNG_BASE64)
GOOD = {"file": EXAMPLE_PNG_BASE64}


class _Server(uvicorn.Server):
    """Leaves the signal handlers of pytest alone, and stops when told, not at the next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await self._serve(sockets)

    async def main_loop(self) -> None:
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's order, without its pauses of 0.1 s."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.gather(*self.server_state.tasks)
        while self.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: FastAPI, http: type[HttpProtocol] = HttpProtocol) -> AsyncIterator[str]:
    """Serve on a free port; gives the base URL."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, http=http, ws="none", timeout_graceful_shutdown=5
    )
    server = _Server(config)
    # With its protocol spelled out asyncio turns Nagle's algorithm off; else each answer may wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop.set()
        await task


@dataclass
class Gateway:
    """A running gateway and a client to it."""

    app: FastAPI
    url: str
    http: httpx.AsyncClient

    @property
    def resources(self) -> Any:
        return self.app.state.resources

    async def parse(self, body: Any = None, **more: Any) -> httpx.Response:
        return await self.http.post("/layout-parsing", json=GOOD if body is None else body, **more)

    async def assert_still_good(self) -> None:
        answer = await self.parse()
        assert answer.status_code == 200, answer.text
        assert answer.json()["errorCode"] == 0


StartGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def triton() -> AsyncIterator[FakeTriton]:
    fake = FakeTriton()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def start_gateway(triton: FakeTriton) -> AsyncIterator[StartGateway]:
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Gateway:
            defaults = {"triton_url": triton.url, "inference_timeout_seconds": 20}
            app = create_app(Settings(**{**defaults, **settings}))
            url = await stack.enter_async_context(serving(app))
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30, verify=False))
            return Gateway(app, url, http)

        yield start


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway()


class Hasty(HttpProtocol):
    """With little patience for its clients."""

    head_seconds = 0.3
    stalled_seconds = 0.3
    linger_seconds = 0.3


@pytest.fixture
async def hasty(gateway: Gateway) -> AsyncIterator[str]:
    """Base URL of the same gateway behind `Hasty`."""
    async with serving(gateway.app, Hasty) as url:
        yield url


def assert_error(answer: httpx.Response, status: int, *words: str) -> None:
    """The public error object, with these words in its sentence."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"logId", "errorCode", "errorMsg"}
    assert body["errorCode"] == status
    assert body["logId"]
    for word in words:
        assert word in body["errorMsg"], body["errorMsg"]
