"""A Triton that speaks the real protocol on loopback, and does what a test tells it to."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

ELEMENT = {"prunedResult": {"width": 20, "height": 10}, "markdown": {"text": "# Page", "images": {}}}


def document_event(pages: int = 1, kind: str = "image", **more: Any) -> bytes:
    sizes = [{"width": 20 + index, "height": 10} for index in range(pages)]
    return json.dumps(
        {"type": "document", "kind": kind, "pages": sizes, "totalPages": pages, **more}
    ).encode()


def page_event(index: int, element: dict[str, Any] | None = None) -> bytes:
    header = json.dumps({"type": "page", "index": index})
    return header.encode() + b"\n" + json.dumps(element or ELEMENT).encode()


def error_event(code: str, message: str = "A sentence.") -> bytes:
    return json.dumps({"type": "error", "code": code, "message": message, "retryable": False}).encode()


@dataclass
class Received:
    """One request as it came over the wire."""

    model: str
    request_id: str
    document: bytes
    options: dict[str, Any]
    metadata: dict[str, str]
    seconds_left: float | None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False


@dataclass
class ReceivedPages:
    """One request to `restructure-pages`: its header line, and what the client sent."""

    model: str
    request_id: str
    header: dict[str, Any]
    body: bytes
    seconds_left: float | None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False


RESULT = {"layoutParsingResults": [{"prunedResult": {}, "markdown": {"text": "# Pages", "images": {}}}]}


def result_message(result: Any = RESULT) -> bytes:
    return b'{"type":"result"}\n' + json.dumps(result).encode()


async def one_result(received: ReceivedPages) -> bytes:
    return result_message()


RestructureScript = Callable[[ReceivedPages], Awaitable[bytes]]
Script = Callable[[Received], AsyncIterator[bytes]]


async def one_page(received: Received) -> AsyncIterator[bytes]:
    yield document_event()
    yield page_event(0)


class Abort(Exception):
    """Raised by a script: ends the stream with a gRPC status."""

    def __init__(self, status: grpc.StatusCode, details: str = "scripted") -> None:
        self.status, self.details = status, details


class Refusal(Exception):
    """Raised by a script: Triton's own words in the stream, which then ends well.

    So it refuses what it cannot begin: for a model that is not loaded, or while it is ending.
    """


class FakeTriton(service_pb2_grpc.GRPCInferenceServiceServicer):
    """`script` yields the events of each document; `restructure_script` gives the answer for pages.

    `requests` and `restructure_requests` keep what came in.
    """

    def __init__(self) -> None:
        self.script: Script = one_page
        self.requests: list[Received] = []
        self.restructure_script: RestructureScript = one_result
        self.restructure_requests: list[ReceivedPages] = []
        self.arrived = asyncio.Condition()
        self.live = True
        self.models = {"layout-parsing", "layout-detection", "restructure-pages"}
        self.ready_models = set(self.models)
        self.final_response = True
        self.before_health: Callable[[], Awaitable[None]] | None = None
        self.health_calls = 0
        self.running = 0
        self.most_running = 0
        self.port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)]
        self._server = grpc.aio.server(options=options)
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        """Die at once: connections are cut."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace=None)

    async def wait_for_requests(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    async def ServerLive(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.health_calls += 1
        if self.before_health is not None:
            await self.before_health()
        return service_pb2.ServerLiveResponse(live=self.live)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        return service_pb2.ModelReadyResponse(ready=request.name in self.ready_models)

    async def RepositoryIndex(self, request: Any, context: Any) -> Any:  # noqa: N802
        models = [service_pb2.RepositoryIndexResponse.ModelIndex(name=name) for name in self.models]
        return service_pb2.RepositoryIndexResponse(models=models)

    async def ModelStreamInfer(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        async for request in request_iterator:
            received = self._receive(request, context)
            self.requests.append(received)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            async with self.arrived:
                self.arrived.notify_all()
            try:
                async for event in self.script(received):
                    yield self._response(received, event)
                if self.final_response:
                    yield self._response(received, None)
            except Abort as abort:
                await context.abort(abort.status, abort.details)
            except Refusal as refusal:
                yield service_pb2.ModelStreamInferResponse(error_message=str(refusal))
            except (asyncio.CancelledError, GeneratorExit):  # the latter while an event is on its way
                received.cancelled = True
                raise
            finally:
                self.running -= 1
                received.ended.set()

    async def wait_for_restructure_requests(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.restructure_requests) >= count)

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        (tensor,), (raw,) = request.inputs, request.raw_input_contents
        assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("request", "BYTES", [1])
        assert struct.unpack("<I", raw[:4])[0] == len(raw) - 4
        header, _, body = raw[4:].partition(b"\n")
        received = ReceivedPages(
            request.model_name, request.id, json.loads(header), body, context.time_remaining()
        )
        self.restructure_requests.append(received)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        async with self.arrived:
            self.arrived.notify_all()
        try:
            message = await self.restructure_script(received)
        except Abort as abort:
            await context.abort(abort.status, abort.details)
        except asyncio.CancelledError:
            received.cancelled = True
            raise
        finally:
            self.running -= 1
            received.ended.set()
        response = service_pb2.ModelInferResponse(model_name=received.model, id=received.request_id)
        response.outputs.add(name="result", datatype="BYTES", shape=[1])
        response.raw_output_contents.append(struct.pack("<I", len(message)) + message)
        return response

    def _receive(self, request: Any, context: Any) -> Received:
        assert request.parameters["triton_enable_empty_final_response"].bool_param
        tensors = {
            each.name: (each.datatype, list(each.shape), raw)
            for each, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        datatype, shape, document = tensors["document"]
        assert (datatype, shape) == ("UINT8", [len(document)])
        datatype, shape, options = tensors["options"]
        assert (datatype, shape) == ("BYTES", [1])
        assert struct.unpack("<I", options[:4])[0] == len(options) - 4
        return Received(
            model=request.model_name,
            request_id=request.id,
            document=document,
            options=json.loads(options[4:]),
            metadata=dict(context.invocation_metadata()),
            seconds_left=context.time_remaining(),
        )

    def _response(self, received: Received, event: bytes | None) -> Any:
        response = service_pb2.ModelInferResponse(model_name=received.model, id=received.request_id)
        if event is None:
            response.parameters["triton_final_response"].bool_param = True
        else:
            response.parameters["triton_final_response"].bool_param = False
            response.outputs.add(name="event", datatype="BYTES", shape=[1])
            response.raw_output_contents.append(struct.pack("<I", len(event)) + event)
        return service_pb2.ModelStreamInferResponse(infer_response=response)
