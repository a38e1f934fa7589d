"""The HTTP server: OpenAI's paths over the engine."""

import contextlib
import logging
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import cast

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from vlm_server.embedded.admission import Admission, ClientGoneError
from vlm_server.embedded.engine import Engine
from vlm_server.embedded.errors import ApiError, BodyTooLargeError, NotFoundError, OverloadedError
from vlm_server.embedded.images import decode_image
from vlm_server.embedded.metrics import Metrics
from vlm_server.embedded.protocol import (
    Answer,
    ChatRequest,
    completion_body,
    models_body,
    parse_request,
    stream_events,
)
from vlm_server.embedded.settings import Settings
from vlm_server.embedded.tasks import find_task
from vlm_server.embedded.tokens import count_prompt_tokens, count_tokens, limit_tokens

_log = logging.getLogger("vlm_server.embedded")
_CLIENT_GONE = 499  # nginx's number; nobody sees it but a log
_JSON = "application/json"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Models load when it starts serving, before the port answers."""
    service = _Service(settings or Settings())

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.open():
            yield

    app = FastAPI(title="Embedded VLM server", lifespan=lifespan, openapi_url=None)
    app.add_api_route("/v1/chat/completions", service.complete, methods=["POST"], response_model=None)
    app.add_api_route("/v1/models", service.list_models, methods=["GET"], response_model=None)
    app.add_api_route("/health", service.report_health, methods=["GET"], response_model=None)
    app.add_api_route("/metrics", service.report_metrics, methods=["GET"], response_model=None)
    app.add_exception_handler(ApiError, _render_api_error)
    app.add_exception_handler(HTTPException, _render_http_error)
    app.add_exception_handler(ClientGoneError, _render_nothing)
    app.add_exception_handler(Exception, _render_unexpected)
    return app


class _Service:
    """The routes and what they share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = Metrics()
        self._engine: Engine | None = None
        # One more than there are threads: its steps fill the gaps while another is between two of its own.
        self._admission = Admission(
            running=settings.threads + 1, max_waiting=settings.max_waiting_requests, metrics=self._metrics
        )

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Load the models; drop what is unfinished on the way out."""
        engine = await Engine.load(threads=self._settings.threads, metrics=self._metrics)
        self._engine = engine
        try:
            yield
        finally:
            self._engine = None
            engine.close()

    async def complete(self, request: Request) -> Response:
        """`POST /v1/chat/completions`."""
        body = await self._read_body(request)
        chat = parse_request(body, served_model_names=self._settings.served_model_names)
        answer = await self._admission.run(lambda: self._answer(chat), _wait_until_gone(request))
        if not chat.stream:
            return Response(completion_body(answer), media_type=_JSON)
        include_usage = chat.stream_options is not None and chat.stream_options.include_usage
        events = stream_events(answer, include_usage=include_usage)
        return StreamingResponse(events, media_type="text/event-stream")

    async def list_models(self) -> Response:
        """`GET /v1/models`."""
        return Response(models_body(self._settings.served_model_names), media_type=_JSON)

    async def report_health(self) -> Response:
        """`GET /health`: 200 once the models are loaded."""
        return Response(status_code=HTTPStatus.OK if self._engine else HTTPStatus.SERVICE_UNAVAILABLE)

    async def report_metrics(self) -> Response:
        """`GET /metrics`."""
        return Response(self._metrics.render(), media_type="text/plain; version=0.0.4")

    async def _answer(self, chat: ChatRequest) -> Answer:
        if self._engine is None:
            raise OverloadedError("The models are not loaded.")
        prompt, url = chat.prompt_and_image()
        task = find_task(prompt)
        image = await self._engine.step(decode_image, url)
        text, finish_reason = limit_tokens(await task(self._engine, image), chat.token_limit)
        return Answer(
            request_id=f"chatcmpl-{uuid.uuid4().hex}",
            model=chat.model or self._settings.served_model_names[0],
            text=text,
            finish_reason=finish_reason,
            prompt_tokens=count_prompt_tokens(prompt, width=image.shape[1], height=image.shape[0]),
            completion_tokens=count_tokens(text),
        )

    async def _read_body(self, request: Request) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._settings.max_body_bytes:
                raise BodyTooLargeError(f"The body has more than {self._settings.max_body_bytes} bytes.")
            chunks.append(chunk)
        return b"".join(chunks)


async def _wait_until_gone(request: Request) -> None:
    """Return when the client closes the connection; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _error_response(error: ApiError) -> Response:
    headers = {"Retry-After": "1"} if isinstance(error, OverloadedError) else None
    return Response(orjson.dumps(error.body()), error.http_status, headers, _JSON)


async def _render_api_error(_: Request, error: Exception) -> Response:
    return _error_response(cast("ApiError", error))


async def _render_http_error(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    if status == HTTPStatus.NOT_FOUND:
        return _error_response(NotFoundError(f"There is nothing at {request.url.path}."))
    body = {
        "error": {
            "message": HTTPStatus(status).phrase,
            "type": "BadRequestError",
            "param": None,
            "code": status,
        }
    }
    return Response(orjson.dumps(body), status, cast("HTTPException", error).headers, _JSON)


async def _render_nothing(_: Request, __: Exception) -> Response:
    return Response(status_code=_CLIENT_GONE)


async def _render_unexpected(_: Request, error: Exception) -> Response:
    _log.error("a completion failed", exc_info=error)
    return _error_response(ApiError("Internal server error."))
