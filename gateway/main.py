"""Composes the application. Nothing happens at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from gateway.middleware import BodyLimitMiddleware, DisconnectMiddleware, RecordMiddleware
from gateway.observability import configure_logging
from gateway.resources import open_resources
from gateway.routes import health, parsing
from gateway.routes.errors import install_error_handlers, render_error
from gateway.settings import Settings

DESCRIPTION = """
Documents (PDF, PNG, JPEG, TIFF, WebP, BMP, GIF) to Markdown and structured JSON.

Every answer that is not a success is `{"logId", "errorCode", "errorMsg"}`; `errorCode` is the HTTP status.
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
        redirect_slashes=False,  # a redirect would be an answer outside the contract's shape
    )
    app.include_router(parsing.router)
    app.include_router(health.router)
    install_error_handlers(app)
    # The last added is the outermost.
    app.add_middleware(DisconnectMiddleware)
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes)
    app.add_middleware(RecordMiddleware, render_error=render_error)
    return app
