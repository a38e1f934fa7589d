"""`python -m benchmarks.simulators.vlm --port N`: the simulated VLM server, until SIGTERM."""

import argparse
import dataclasses

import uvloop
from aiohttp import web

from benchmarks.simulators.vlm.answers import Answers
from benchmarks.simulators.vlm.costs import VlmCosts
from benchmarks.simulators.vlm.engine import Engine
from benchmarks.simulators.vlm.server import VlmServer


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faster", type=float, default=1.0, help="divide every time of the device by this")
    for field in dataclasses.fields(VlmCosts):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default
        )
    arguments = parser.parse_args()
    names = [field.name for field in dataclasses.fields(VlmCosts)]
    costs = VlmCosts(**{name: getattr(arguments, name) for name in names}).faster(arguments.faster)
    uvloop.install()
    web.run_app(
        VlmServer(Engine(costs), Answers(costs, arguments.seed)).application(),
        host="127.0.0.1",
        port=arguments.port,
        access_log=None,
        handler_cancellation=True,
        print=None,
        # Who is still being answered when the run is over is cut off.
        shutdown_timeout=0.1,
    )


if __name__ == "__main__":
    main()
