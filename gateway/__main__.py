"""`python -m gateway`: serve HTTP until SIGINT or SIGTERM."""

import os
import sys
import tempfile

import uvicorn
from pydantic import ValidationError

from gateway.observability import log_config
from gateway.serving import serve
from gateway.settings import Settings

# The application answers what is left at the end of the grace period; the server then cuts what is open.
SERVER_EXTRA_SECONDS = 1
# Longer than the keep-alive of common clients and proxies, so that they, not we, drop idle connections.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    """Run the server; returns the exit status."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = ".".join(str(step) for step in problem["loc"])
            print(f"gateway: {name + ': ' if name else ''}{problem['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    with tempfile.TemporaryDirectory(prefix="paddleocr-vl-hps-") as folder:
        if settings.admission_file is None:
            # The one thing that workers must share; they are new processes and read the environment.
            os.environ["HPS_ADMISSION_FILE"] = f"{folder}/admission"
        config = uvicorn.Config(
            "gateway.main:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http="gateway.http_protocol:HttpProtocol",
            ws="none",
            lifespan="on",
            log_config=log_config(settings.log_level, settings.log_format),
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(settings.shutdown_grace_seconds) + SERVER_EXTRA_SECONDS,
        )
        return serve(config)


if __name__ == "__main__":
    sys.exit(main())
