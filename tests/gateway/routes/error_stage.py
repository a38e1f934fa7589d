"""A gateway with what stands behind it, and a table of what makes it answer with an error."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.fakes.triton import Abort, FakeTriton
from tests.fakes.vlm import FakeVlm
from tests.gateway.conftest import GOOD, Gateway

INTERNAL = "Internal error; the log holds the details under this logId."


@dataclass
class Stage:
    """A gateway and what stands behind it."""

    gateway: Gateway
    triton: FakeTriton
    vlm: FakeVlm

    async def post(self, body: Any = GOOD, headers: Mapping[str, str] = {}) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.gateway.http.post(
            "/layout-parsing", content=content, headers={"Content-Type": "application/json", **headers}
        )

    async def get(self, path: str) -> httpx.Response:
        return await self.gateway.http.get(path)

    async def post_while_triton_says(self, *events: bytes | Abort) -> httpx.Response:
        async def script(received):
            for event in events:
                if isinstance(event, Abort):
                    raise event
                yield event

        self.triton.script = script
        return await self.post()


@dataclass
class Case:
    status: int
    code: str
    sentence: str
    produce: Callable[[Stage], Awaitable[httpx.Response]]
    settings: dict[str, Any]


CASES: dict[str, Case] = {}


def case(name: str, status: int, code: str, sentence: str, **settings: Any) -> Callable[[Any], Any]:
    """The decorated function produces this error."""

    def add(produce: Any) -> Any:
        assert name not in CASES
        CASES[name] = Case(status, code, sentence, produce, settings)
        return produce

    return add
