"""The fake VLM server as a process of its own, which can be killed or stopped: `python -m tests.chaos.vlm PORT`."""

import asyncio
import os
import sys

from aiohttp import web

from tests.fakes.vlm import Completion, FakeVlm, refusal, say_prompt


class OrderedVlm(FakeVlm):
    """Does what it is ordered to at `/orders`, and says what it has seen at `/seen`.

    Orders: `answers`: how many more calls are answered, the others are held; None for all. `fails_every`: each such
    call is answered 500; 0 for none. `dies_at`: words of a prompt at which the process ends.
    """

    def __init__(self, port: int) -> None:
        super().__init__(self._obey)
        self.port = port
        self._answers: int | None = None
        self._fails_every = 0
        self._dies_at = ""

    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.post("/orders", self._take_orders), web.get("/seen", self._tell_seen)]

    async def _obey(self, completion: Completion) -> str | web.StreamResponse:
        if self._dies_at and self._dies_at in completion.prompt:
            os._exit(1)
        if self._fails_every and len(self.completions) % self._fails_every == 0:
            return refusal(500, "the engine has a bad moment")
        async with self.changed:
            await self.changed.wait_for(lambda: self._answers != 0)
            if self._answers is not None:
                self._answers -= 1
        return await say_prompt(completion)

    async def _take_orders(self, request: web.Request) -> web.Response:
        orders = await request.json()
        self._answers, self._fails_every, self._dies_at = (
            orders["answers"], orders["fails_every"], orders["dies_at"],
        )  # fmt: skip
        await self._tell()
        return web.Response()

    async def _tell_seen(self, request: web.Request) -> web.Response:
        left = sum(completion.cancelled for completion in self.completions)
        return web.json_response({"asked": len(self.completions), "running": self.running, "left": left})


async def main() -> None:
    await OrderedVlm(int(sys.argv[1])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
