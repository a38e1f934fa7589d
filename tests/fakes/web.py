"""A web server on loopback for documents behind URLs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeWeb:
    """`pages` answers by path."""

    port: int
    pages: dict[str, Handler] = field(default_factory=dict)
    visits: list[str] = field(default_factory=list)
    forever: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(body=body, status=status, headers=headers)

        self.pages[path] = answer

    def redirect(self, path: str, location: str) -> None:
        self.serve(path, b"", 302, Location=location)

    def hang(self, path: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            await self.forever.wait()
            return web.Response()

        self.pages[path] = answer


@asynccontextmanager
async def running_web() -> AsyncIterator[FakeWeb]:
    fake = FakeWeb(port=0)

    async def dispatch(request: web.Request) -> web.StreamResponse:
        fake.visits.append(request.raw_path)
        handler = fake.pages.get(request.path)
        return await handler(request) if handler else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", dispatch)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    # All of 127/8 is loopback: 127.0.0.1 plays the public address, 127.0.0.2 the private one.
    site = web.TCPSite(runner, "0.0.0.0", 0)
    await site.start()
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        fake.forever.set()
        await runner.cleanup()
