"""uvicorn's servers, in one process or several, that let go of their port when they are told to end."""

import contextlib

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess


class _Supervisor(Multiprocess):
    """Workers on one socket.

    uvicorn's own keeps the socket open until the last worker has ended. Meanwhile new connections would be taken by
    the kernel and answered by nobody; this way they are refused, and a load balancer tries the next host.
    """

    def terminate_all(self) -> None:
        """Tell every worker to end."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def serve(config: uvicorn.Config) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status."""
    if config.workers > 1:
        _Supervisor(config, [config.bind_socket()]).run()
        return 0
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again when it has ended well
        server.run()
    return 0 if server.started else STARTUP_FAILURE
