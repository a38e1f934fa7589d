"""Stands in for `triton_python_backend_utils`, which only Triton's own processes can import."""

import asyncio
from types import ModuleType
from typing import Any

import numpy as np


class Tensor:
    def __init__(self, name: str, array: np.ndarray) -> None:
        self.name = name
        self._array = array

    def as_numpy(self) -> np.ndarray:
        return self._array


class InferenceResponse:
    def __init__(self, tensors: list[Tensor]) -> None:
        self.tensors = tensors


class InferenceRequest:
    """A call of another model, which never answers."""

    in_work = 0

    def __init__(self, **call: Any) -> None:
        self.call = call

    async def async_exec(self) -> InferenceResponse:
        InferenceRequest.in_work += 1
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            InferenceRequest.in_work -= 1


class TritonModelException(Exception):
    pass


class Sender:
    """Takes as many events as it is told to, and then breaks; the final flag it always takes."""

    def __init__(self, events: int) -> None:
        self._left = events
        self.has_ended = False

    def send(self, response: InferenceResponse | None = None, flags: int = 0) -> None:
        if flags:
            self.has_ended = True
            return
        if not self._left:
            raise TritonModelException("the stream is broken")
        self._left -= 1

    def is_cancelled(self) -> bool:
        return False


class Request:
    """A document on its way to `layout-parsing`."""

    def __init__(self, sender: Sender, **inputs: bytes) -> None:
        self._sender = sender
        self.inputs = inputs

    def get_response_sender(self) -> Sender:
        return self._sender


def get_input_tensor_by_name(request: Request, name: str) -> Tensor:
    data = request.inputs[name]
    array = np.frombuffer(data, np.uint8) if name == "document" else np.array([data], dtype=object)
    return Tensor(name, array)


def module() -> ModuleType:
    """It as a module, to be found under its name."""
    made = ModuleType("triton_python_backend_utils")
    for thing in (
        Tensor,
        InferenceResponse,
        InferenceRequest,
        TritonModelException,
        get_input_tensor_by_name,
    ):
        setattr(made, thing.__name__, thing)
    made.TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1  # type: ignore[attr-defined]
    return made
