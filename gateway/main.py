"""Composes the application. Nothing happens at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from gateway.api_keys import ApiKeys
from gateway.bodies import BodyMiddleware
from gateway.cors import CorsMiddleware
from gateway.middleware import (
    ApiKeyMiddleware,
    DisconnectMiddleware,
    RecordMiddleware,
)
from gateway.observability import configure_logging
from gateway.resources import open_resources
from gateway.routes import health, images, parsing, restructuring
from gateway.routes.errors import install_error_handlers, render_error
from gateway.routes.openapi import complete_openapi
from gateway.services.room import Room
from gateway.settings import Settings

OPEN_PATHS = frozenset(
    {"/health", "/health/ready", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
)
# The files of those pages; and images, whose links are signed: the signature is the key.
OPEN_FOLDERS = ("/static-offline-docs/", "/images/")

DESCRIPTION = """
Documents (PDF, PNG, JPEG, TIFF, WebP, BMP, GIF) to Markdown and structured JSON.

Every answer that is not a success is `{"logId", "errorCode", "errorMsg"}`; `errorCode` is the HTTP status.
On every path, what is not HTTP/1.1 is answered 400, a head over 64 KiB 431, and one that takes over 30 seconds 408.
Send `X-Request-Id` to name a request; it comes back in the answer's headers and stands in the logs.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without settings they are read from the environment.

    Raises:
        pydantic.ValidationError: the environment holds a bad setting.
    """
    settings = settings or Settings()
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            yield

    # The pages /docs and /redoc come with their scripts, so they work without an Internet connection.
    app = FastAPIOffline(
        title="PaddleOCR-VL high-performance serving",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        # A redirect would be an answer outside the contract's shape; RecordMiddleware takes such slashes away.
        redirect_slashes=False,
    )
    app.include_router(parsing.router)
    app.include_router(restructuring.router)
    if settings.image_store == "local":
        app.include_router(images.router)
    app.include_router(health.router)
    install_error_handlers(app)
    # The last added is the outermost.
    app.add_middleware(DisconnectMiddleware)
    app.add_middleware(
        BodyMiddleware,
        max_bytes=settings.max_body_bytes,
        room=Room(settings.room_bytes, wait_seconds=settings.body_timeout_seconds),
        stalled_seconds=settings.body_timeout_seconds,
    )
    if settings.all_api_keys:
        keys = ApiKeys(settings.all_api_keys)
        app.add_middleware(ApiKeyMiddleware, keys=keys, is_open=is_open, render_error=render_error)
    if settings.cors_origins:
        app.add_middleware(CorsMiddleware, origins=settings.cors_origins, render_error=render_error)
    app.add_middleware(RecordMiddleware, render_error=render_error)
    _complete_api_pages(app, with_keys=bool(settings.all_api_keys))
    return app


def is_open(path: str) -> bool:
    """Whether a path is answered without a key even where keys are set: probes, the API pages, signed links."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _complete_api_pages(app: FastAPI, *, with_keys: bool) -> None:
    describe_routes = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        return complete_openapi(describe_routes(), needs_key=lambda path: with_keys and not is_open(path))

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way
