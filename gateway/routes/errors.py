"""The only place where an error becomes an HTTP answer."""

from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from gateway.errors import (
    ClientGone,
    CompressedBody,
    GatewayError,
    InternalError,
    InvalidRequest,
    MissingApiKey,
    RequestTimeout,
)
from gateway.models.records import RequestRecord

_SENTENCES = {
    404: "There is nothing at this path; documents go to POST /layout-parsing.",
    405: "This path does not answer the method {method}.",
}
# That any path of ours answers.
_METHODS = ("GET", "HEAD", "POST")


def error_body(log_id: str, status: int, message: str) -> dict[str, object]:
    """The public error object."""
    return {"logId": log_id, "errorCode": status, "errorMsg": message}


def render_error(error: GatewayError, record: RequestRecord) -> Response:
    """The answer for an error, with its status and advice on when to come back."""
    record.error_code = error.code
    headers = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, MissingApiKey):
        headers["WWW-Authenticate"] = error.challenge
    if isinstance(error, CompressedBody):
        headers["Accept-Encoding"] = error.accepted
    if isinstance(error, RequestTimeout):
        headers["Connection"] = "close"
    return _answer(record, error.http_status, error.message, headers)


def _answer(record: RequestRecord, status: int, message: str, headers: dict[str, str]) -> Response:
    return Response(
        orjson.dumps(error_body(record.log_id, status, message)),
        status_code=status,
        media_type="application/json",
        headers=headers,
    )


def _methods_of_path(request: Request) -> list[str]:
    """All of them; the framework names those of one route, and a path can have several."""

    def is_answered(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in _METHODS if is_answered(method)]


def install_error_handlers(app: FastAPI) -> None:
    """Route every error that handlers or the framework raise through the renderer."""

    async def handle_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, GatewayError)  # noqa: S101 - registered for it
        record: RequestRecord = request.state.record
        if isinstance(error, ClientGone):
            record.client_gone = True
        return render_error(error, record)

    async def handle_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        record: RequestRecord = request.state.record
        if error.status_code >= 500:
            return render_error(InternalError(), record)
        record.error_code = HTTPStatus(error.status_code).name.lower()
        sentence = _SENTENCES.get(error.status_code, HTTPStatus(error.status_code).phrase + ".")
        message = sentence.format(method=request.method)
        headers = dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = ", ".join(_methods_of_path(request))
        return _answer(record, error.status_code, message, headers)

    async def handle_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        return render_error(InvalidRequest("The request is not valid."), request.state.record)

    app.add_exception_handler(GatewayError, handle_ours)
    app.add_exception_handler(HTTPException, handle_framework)
    app.add_exception_handler(RequestValidationError, handle_validation)
