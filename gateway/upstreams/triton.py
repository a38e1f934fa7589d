"""Triton over gRPC: one channel per process, raw bytes in, events or a result out.

The channel is used directly with tritonclient's message types. Its convenience client would pass the document
through numpy arrays and report errors inside a stream without their status.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import orjson
from tritonclient.grpc import service_pb2, service_pb2_grpc

from gateway import errors
from gateway.models.documents import Document
from gateway.models.events import AliveEvent, BadEvent, DocumentEvent, ErrorEvent, PageEvent, parse_event
from gateway.models.results import parse_result
from gateway.upstreams.messages import BYTES_PREFIX, bytes_tensor, encode_request, uint8_tensor
from gateway.upstreams.silence import WatchedCall

logger = logging.getLogger(__name__)

PARSE_MODEL = "layout-parsing"
RESTRUCTURE_MODEL = "restructure-pages"
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
    # Triton stands beside us; a proxy of the environment is for the world outside.
    ("grpc.enable_http_proxy", 0),
    # Its own connections, not the process-wide pool: closing a gateway closes them.
    ("grpc.use_local_subchannel_pool", 1),
)
# A document may take this long to reach Triton before its silence counts; a tenth of a gigabit network.
_SLOWEST_SENDING_BYTES_PER_SECOND = 10_000_000
# The model ends a document with its error, so the end of the stream is on its way by then.
_LAST_SECONDS = 5.0
# Makes Triton (24.08 and later) end a failed stream with a gRPC status, not with text inside a message.
_METADATA = (("triton_grpc_error", "true"),)

_GONE = "Triton cannot be reached."
_NOT_LOADED = "Triton has not loaded the model '{model}'."
_NOT_NOW = "Triton cannot run the model '{model}' just now."
_STATUS_ERRORS: Mapping[Any, tuple[type[errors.GatewayError], str]] = {
    grpc.StatusCode.UNAVAILABLE: (errors.TritonUnavailable, _GONE),
    grpc.StatusCode.CANCELLED: (errors.TritonUnavailable, "Triton stopped while it worked on the request."),
    grpc.StatusCode.NOT_FOUND: (errors.TritonUnavailable, _NOT_LOADED),
    grpc.StatusCode.UNIMPLEMENTED: (errors.TritonUnavailable, "HPS_TRITON_URL does not lead to Triton."),
    # Our models say by themselves what is wrong with a request. This is Triton's word for a model whose process died.
    grpc.StatusCode.INTERNAL: (errors.TritonUnavailable, _NOT_NOW),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (errors.TritonUnavailable, "Triton has no room for the request."),
    grpc.StatusCode.DEADLINE_EXCEEDED: (errors.DeadlineExceeded, "The request was not finished in time."),
}
_MODEL_ERRORS: Mapping[str, type[errors.GatewayError]] = {
    error.code: error
    for error in (
        errors.InvalidDocument,
        errors.EncryptedDocument,
        errors.EmptyDocument,
        errors.UnsupportedDocument,
        errors.ImageTooLarge,
        errors.TooManyPages,
        errors.InvalidOption,
        errors.InvalidPages,
        errors.VlmUnavailable,
        errors.LayoutUnavailable,
        errors.PreprocessingUnavailable,
        errors.DeadlineExceeded,
    )
}
# Advice where the other side is expected back soon, but nobody knows when.
_RETRY_AFTER_SECONDS = 5


@contextmanager
def translating_errors(model: str) -> Iterator[None]:
    """Turn gRPC's failures of a call to `model` into ours, by their status."""
    try:
        yield
    except grpc.RpcError as error:
        status = error.code()
        logger.warning("Triton: %s: %s: %s", model, status.name, error.details())
        kind, message = _STATUS_ERRORS.get(status, (None, ""))
        if kind is None:
            raise errors.InternalError from error
        retry_after = _RETRY_AFTER_SECONDS if kind.http_status == 503 else None
        raise kind(message.format(model=model), retry_after_seconds=retry_after) from error


class Triton:
    """The one client of a process. To be made inside its event loop."""

    def __init__(self, url: str, *, silence_seconds: float) -> None:
        """`silence_seconds`: after which a document is given up of which nothing was heard."""
        self._silence_seconds = silence_seconds
        self._channel = grpc.aio.insecure_channel(url, options=_CHANNEL_OPTIONS)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        # One message goes out, so it is not called as the stream of requests that it could be: that takes more turns.
        # Requests are encoded by `encode_request`, so gRPC gets bytes. A call keeps what it was given until it ends;
        # here that is a list from which the bytes are gone once sent.
        self._stream = self._channel.unary_stream(
            "/inference.GRPCInferenceService/ModelStreamInfer",
            request_serializer=list.pop,
            response_deserializer=service_pb2.ModelStreamInferResponse.FromString,
        )
        self._infer = self._channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=None,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
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

    async def list_models(self, timeout_seconds: float) -> list[str]:
        """The models that Triton was told to load, loaded or not; empty when it does not answer. Never raises."""
        try:
            answer = await self._stub.RepositoryIndex(
                service_pb2.RepositoryIndexRequest(), timeout=timeout_seconds
            )
        except grpc.RpcError:
            return []
        return [model.name for model in answer.models]

    async def parse(
        self, document: Document, *, log_id: str, parse: Mapping[str, Any], timeout_seconds: float
    ) -> AsyncGenerator[DocumentEvent | PageEvent, None]:
        """Send a document to `layout-parsing` and yield its events as they come. Closing early cancels it.

        The document's bytes are taken, and freed when something was heard of them.

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
        patience = self._silence_seconds + document.size_bytes / _SLOWEST_SENDING_BYTES_PER_SECOND
        message = [_encode_document(document, orjson.dumps(options), log_id)]
        call = self._stream(message, metadata=_METADATA, timeout=timeout_seconds)
        try:
            with translating_errors(PARSE_MODEL):
                async for event in _read_events(call, patience, self._silence_seconds):
                    yield event
        finally:
            call.cancel()

    async def restructure(
        self, body: bytes, *, log_id: str, options: Mapping[str, Any], timeout_seconds: float
    ) -> bytes:
        """Send pages to `restructure-pages` and return the JSON of `result`. Cancelling cancels the work.

        `body` is the client's own JSON, with the pages in it.

        Raises:
            TritonUnavailable: no connection, or it ended before the answer.
            GatewayError: what the model's error says.
        """
        await self._connect()
        header = {
            "version": WIRE_VERSION,
            "logId": log_id,
            "timeoutSeconds": round(timeout_seconds, 3),
            "options": options,
        }
        request = bytes_tensor("request", orjson.dumps(header), b"\n", body)
        message = encode_request(RESTRUCTURE_MODEL, log_id, [request], "result", streamed=False)
        with translating_errors(RESTRUCTURE_MODEL):
            response = await self._infer(message, timeout=timeout_seconds)
        try:
            (content,) = response.raw_output_contents
            result = parse_result(content[BYTES_PREFIX:])
        except ValueError as error:
            logger.error("restructure-pages: %s", error)
            raise errors.InternalError from error
        if isinstance(result, ErrorEvent):
            raise _said_by(RESTRUCTURE_MODEL, result)
        return result

    async def _connect(self) -> None:
        if self._channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._channel.channel_ready()
        except TimeoutError as error:
            raise _unavailable(_GONE) from error


async def _read_events(
    call: Any, patience: float, silence_seconds: float
) -> AsyncGenerator[DocumentEvent | PageEvent, None]:
    """The events of a call; `patience` is for the first, and `silence_seconds` for each one after it."""
    finished = False
    with WatchedCall(call, patience) as watched:
        while (message := await _read(watched)) is not grpc.aio.EOF:
            watched.seconds = silence_seconds
            if message.error_message:
                # What it cannot begin, for the model is just not loaded or it is ending, Triton refuses in words alone.
                logger.warning("Triton: %s: %s", PARSE_MODEL, message.error_message)
                raise _unavailable(_NOT_NOW.format(model=PARSE_MODEL))
            response = message.infer_response
            for content in response.raw_output_contents:
                try:
                    event = _check(content[BYTES_PREFIX:])
                except errors.GatewayError:
                    await _read_to_end(call, silence_seconds)
                    raise
                if not isinstance(event, AliveEvent):
                    yield event
            finished = finished or response.parameters["triton_final_response"].bool_param
    # The stream is read to its end even after the final response, so that a good call is never cancelled.
    if not finished:
        raise _unavailable("Triton ended the document before its last page.")


async def _read(watched: WatchedCall) -> Any:
    try:
        return await watched.read()
    except TimeoutError:
        # The process that had the document is gone, or hangs; Triton does not end its streams.
        logger.error("Triton: %s: nothing was heard for %g s", PARSE_MODEL, watched.seconds)
        raise _unavailable("Triton stopped while it worked on the request.") from None


def _unavailable(message: str) -> errors.TritonUnavailable:
    return errors.TritonUnavailable(message, retry_after_seconds=_RETRY_AFTER_SECONDS)


async def _read_to_end(call: Any, silence_seconds: float) -> None:
    """Of a call from which no more is wanted: Triton never lets go of one that is cancelled just as it ends."""
    with suppress(TimeoutError, grpc.RpcError):
        async with asyncio.timeout(min(silence_seconds, _LAST_SECONDS)):
            while await call.read() is not grpc.aio.EOF:
                pass


def _check(data: bytes) -> DocumentEvent | PageEvent | AliveEvent:
    """Read an event; error events and what is no event are raised."""
    try:
        event = parse_event(data)
    except BadEvent as error:
        logger.error("layout-parsing: %s", error)
        raise errors.InternalError from error
    if isinstance(event, ErrorEvent):
        raise _said_by(PARSE_MODEL, event)
    return event


def _said_by(model: str, error: ErrorEvent) -> errors.GatewayError:
    """The failure that a model reports."""
    kind = _MODEL_ERRORS.get(error.code)
    if kind is None:
        # The model's own defect; its text may hold anything, so it stays in the log.
        logger.error("%s: %s: %s", model, error.code, error.message)
        return errors.InternalError()
    return kind(error.message, retry_after_seconds=_RETRY_AFTER_SECONDS if kind.http_status == 503 else None)


def _encode_document(document: Document, options: bytes, log_id: str) -> bytes:
    inputs = [uint8_tensor("document", document.take()), bytes_tensor("options", options)]
    return encode_request(PARSE_MODEL, log_id, inputs, "event", streamed=True)
