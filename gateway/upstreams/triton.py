"""Triton over gRPC: one channel per process, raw bytes in, events out as they come.

The channel is used directly with tritonclient's message types. Its convenience client would pass the document
through numpy arrays and report errors inside a stream without their status.
"""

import asyncio
import logging
import struct
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
import orjson
from tritonclient.grpc import service_pb2, service_pb2_grpc

from gateway import errors
from gateway.models.documents import Document
from gateway.models.events import BadEvent, DocumentEvent, ErrorEvent, PageEvent, parse_event

logger = logging.getLogger(__name__)

PARSE_MODEL = "layout-parsing"
WIRE_VERSION = 1
# Time for a connection to come up. A fresh attempt fits in, so a Triton that just came back is found, and one
# that is gone is reported soon.
CONNECT_SECONDS = 1.0
_CHANNEL_OPTIONS = (
    # Documents and pages are single messages; -1 is gRPC's own limit, INT32_MAX.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # The default backs off up to two minutes, in which a Triton that is back would still be called gone.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 500),
    # Its own connections, not the process-wide pool: closing a gateway closes them.
    ("grpc.use_local_subchannel_pool", 1),
)
# Makes Triton (24.08 and later) end a failed stream with a gRPC status, not with text inside a message.
_METADATA = (("triton_grpc_error", "true"),)
_RAW_CONTENTS_FIELD = service_pb2.ModelInferRequest.DESCRIPTOR.fields_by_name["raw_input_contents"].number
_RAW_CONTENTS_TAG = bytes([_RAW_CONTENTS_FIELD << 3 | 2])  # 2: length-delimited

_GONE = "Triton cannot be reached."
_NOT_LOADED = "Triton has not loaded the model 'layout-parsing'."
_STATUS_ERRORS: Mapping[Any, tuple[type[errors.GatewayError], str]] = {
    grpc.StatusCode.UNAVAILABLE: (errors.TritonUnavailable, _GONE),
    grpc.StatusCode.CANCELLED: (errors.TritonUnavailable, "Triton stopped while it worked on the document."),
    grpc.StatusCode.NOT_FOUND: (errors.TritonUnavailable, _NOT_LOADED),
    grpc.StatusCode.UNIMPLEMENTED: (errors.TritonUnavailable, "HPS_TRITON_URL does not lead to Triton."),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (errors.TritonUnavailable, "Triton has no room for the document."),
    grpc.StatusCode.DEADLINE_EXCEEDED: (errors.DeadlineExceeded, "The document was not finished in time."),
}
_EVENT_ERRORS: Mapping[str, type[errors.GatewayError]] = {
    error.code: error
    for error in (
        errors.InvalidDocument,
        errors.EncryptedDocument,
        errors.EmptyDocument,
        errors.UnsupportedDocument,
        errors.ImageTooLarge,
        errors.TooManyPages,
        errors.InvalidOption,
        errors.VlmUnavailable,
        errors.LayoutUnavailable,
        errors.DeadlineExceeded,
    )
}
# Advice where the other side is expected back soon, but nobody knows when.
_RETRY_AFTER_SECONDS = 5


@contextmanager
def translating_errors() -> Iterator[None]:
    """Turn gRPC's failures into ours, by their status."""
    try:
        yield
    except grpc.RpcError as error:
        status = error.code()
        logger.warning("Triton: %s: %s", status.name, error.details())
        kind, message = _STATUS_ERRORS.get(status, (None, ""))
        if kind is None:
            raise errors.InternalError from error
        retry_after = _RETRY_AFTER_SECONDS if kind.http_status == 503 else None
        raise kind(message, retry_after_seconds=retry_after) from error


class Triton:
    """The one client of a process. To be made inside its event loop."""

    def __init__(self, url: str) -> None:
        self._channel = grpc.aio.insecure_channel(url, options=_CHANNEL_OPTIONS)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        # Requests are encoded by `encode_request`, so gRPC gets bytes.
        self._stream = self._channel.stream_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer",
            request_serializer=None,
            response_deserializer=service_pb2.ModelStreamInferResponse.FromString,
        )

    async def aclose(self) -> None:
        """Cancel calls in flight and close the connection."""
        await self._channel.close()

    async def is_live(self, timeout_seconds: float) -> bool:
        """Whether Triton answers that it is live. Never raises."""
        try:
            answer = await self._stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=timeout_seconds)
        except grpc.RpcError:
            return False
        return bool(answer.live)

    async def is_model_ready(self, model: str, timeout_seconds: float) -> bool:
        """Whether Triton answers that the model is ready. Never raises."""
        try:
            answer = await self._stub.ModelReady(
                service_pb2.ModelReadyRequest(name=model), timeout=timeout_seconds
            )
        except grpc.RpcError:
            return False
        return bool(answer.ready)

    async def parse(
        self, document: Document, *, log_id: str, parse: Mapping[str, Any], timeout_seconds: float
    ) -> AsyncGenerator[DocumentEvent | PageEvent, None]:
        """Send a document to `layout-parsing` and yield its events as they come. Closing early cancels it.

        The document's bytes are taken and freed once sent.

        Raises:
            TritonUnavailable: no connection, or it ended before the last event.
            GatewayError: what the model's error event says.
        """
        await self._connect()
        options = {
            "version": WIRE_VERSION,
            "logId": log_id,
            "kind": document.kind.value,
            "timeoutSeconds": round(timeout_seconds, 3),
            "parse": parse,
        }
        call = self._stream(metadata=_METADATA, timeout=timeout_seconds)
        try:
            with translating_errors():
                await call.write(encode_request(document, orjson.dumps(options), log_id))
                await call.done_writing()
                async for event in _read_events(call):
                    yield event
        except asyncio.InvalidStateError:
            # The call ended while we wrote; its status says why.
            with translating_errors():
                await call.read()
            raise errors.TritonUnavailable(_GONE, retry_after_seconds=_RETRY_AFTER_SECONDS) from None
        finally:
            call.cancel()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._channel.channel_ready()
        except TimeoutError as error:
            raise errors.TritonUnavailable(_GONE, retry_after_seconds=_RETRY_AFTER_SECONDS) from error


async def _read_events(call: Any) -> AsyncGenerator[DocumentEvent | PageEvent, None]:
    finished = False
    async for message in call:
        if message.error_message:
            # Only a Triton older than 24.08 reports here, without a status.
            logger.error("Triton: error in stream: %s", message.error_message)
            raise errors.InternalError
        response = message.infer_response
        for content in response.raw_output_contents:
            # A BYTES tensor of one element: four bytes of length, then the event.
            yield _check(content[4:])
        finished = finished or response.parameters["triton_final_response"].bool_param
    # The stream is read to its end even after the final response, so that a good call is never cancelled.
    if not finished:
        raise errors.TritonUnavailable(
            "Triton ended the document before its last page.", retry_after_seconds=_RETRY_AFTER_SECONDS
        )


def _check(data: bytes) -> DocumentEvent | PageEvent:
    """Read an event; error events and what is no event are raised."""
    try:
        event = parse_event(data)
    except BadEvent as error:
        logger.error("layout-parsing: %s", error)
        raise errors.InternalError from error
    if not isinstance(event, ErrorEvent):
        return event
    kind = _EVENT_ERRORS.get(event.code)
    if kind is None:
        # The model's own defect; its text may hold anything, so it stays in the log.
        logger.error("layout-parsing: %s: %s", event.code, event.message)
        raise errors.InternalError
    raise kind(event.message, retry_after_seconds=_RETRY_AFTER_SECONDS if kind.http_status == 503 else None)


def encode_request(document: Document, options: bytes, request_id: str) -> bytes:
    """The protobuf message of one request, with the document's bytes copied once.

    Protobuf messages may be concatenated: protobuf encodes the small fields, the raw contents follow by hand.
    """
    request = service_pb2.ModelInferRequest(
        model_name=PARSE_MODEL,
        id=request_id,
        inputs=[
            service_pb2.ModelInferRequest.InferInputTensor(
                name="document", datatype="UINT8", shape=[document.size_bytes]
            ),
            service_pb2.ModelInferRequest.InferInputTensor(name="options", datatype="BYTES", shape=[1]),
        ],
        outputs=[service_pb2.ModelInferRequest.InferRequestedOutputTensor(name="event")],
    )
    request.parameters["triton_enable_empty_final_response"].bool_param = True
    return b"".join(
        (
            request.SerializeToString(),
            _RAW_CONTENTS_TAG,
            _varint(document.size_bytes),
            document.take(),
            _RAW_CONTENTS_TAG,
            _varint(len(options) + 4),
            struct.pack("<I", len(options)),
            options,
        )
    )


def _varint(number: int) -> bytes:
    """Protobuf's encoding of a length: seven bits a byte, low bits first, the top bit for more to come."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
