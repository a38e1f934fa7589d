"""Browsers: which web pages of other origins may call the service from there. Off unless it is asked for."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import OriginRefused
from gateway.middleware import RenderError

# A page sends its key in a header of its own, never as a cookie: no credentials in the sense of CORS.
REQUEST_HEADERS = ("Authorization", "X-Request-Id")
ANSWER_HEADERS = ("X-Request-Id", "Retry-After")


class CorsMiddleware(CORSMiddleware):
    """Starlette's, with refusals in the shape of all errors."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], render_error: RenderError) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
        )
        self._render_error = render_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            if {"origin", "access-control-request-method"} <= set(headers):
                response = self.preflight_response(headers)
                if response.status_code != 200:
                    error = OriginRefused(
                        "A page of this origin may not send this request (HPS_CORS_ORIGINS)."
                    )
                    response = self._render_error(error, scope["state"]["record"])
                await response(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
