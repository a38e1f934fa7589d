"""Asking the product's `layout-parsing` model without its gateway, by Triton's own client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import orjson
from tritonclient.grpc import aio as triton_grpc

_MODEL = "layout-parsing"
_TIMEOUT_SECONDS = 600


class DirectTriton:
    """A client of the model; use as an async context manager."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None

    async def __aenter__(self) -> "DirectTriton":
        self._client = triton_grpc.InferenceServerClient(self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def parse(self, document: bytes, kind: str) -> list[bytes]:
        """Send a document, wait for its last event; returns all of them."""
        options = {
            "version": 1,
            "logId": "direct",
            "kind": kind,
            "timeoutSeconds": _TIMEOUT_SECONDS,
            "parse": {"visualize": False},
        }
        events: list[bytes] = []
        async for result, error in self._client.stream_infer(_requests(document, options)):
            if error is not None:
                raise error
            response = result.get_response()
            if response.parameters["triton_final_response"].bool_param:
                break
            events.append(result.as_numpy("event")[0])
        if not any(event.startswith(b'{"type":"page"') for event in events):
            raise RuntimeError(f"no page came: {events}")
        return events


async def _requests(document: bytes, options: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    data = triton_grpc.InferInput("document", [len(document)], "UINT8")
    data.set_data_from_numpy(np.frombuffer(document, np.uint8))
    words = triton_grpc.InferInput("options", [1], "BYTES")
    words.set_data_from_numpy(np.array([orjson.dumps(options)], dtype=object))
    yield {"model_name": _MODEL, "inputs": [data, words], "enable_empty_final_response": True}
    await asyncio.sleep(0)
