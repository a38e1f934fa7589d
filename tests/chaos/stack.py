"""The whole stack as compose starts it: two VLM servers, Triton and the gateway, none the parent of another."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.stack.repository import lay_out_pipelines
from gateway.services.numbers import LANE_BYTES, MOST_LANES
from tests.chaos import documents
from tests.chaos.clients import Crowd
from tests.chaos.tiers import HANG_SECONDS, ROOT, Gateway, Triton, Vlm, bare_environment, lasting_ports
from tests.chaos.waiting import eventually

# Documents in Triton at a time, and calls at each of the two VLM servers: a place that is lost is missed.
PLACES = 8
CALLS_PER_VLM = PLACES // 2
QUEUE = 4

_SETTINGS = {
    "HPS_HOST": "127.0.0.1",
    "UVICORN_WORKERS": "2",
    "HPS_MAX_CONCURRENT_REQUESTS": str(PLACES),
    "HPS_MAX_QUEUED_REQUESTS": str(QUEUE),
    # Nothing may outlast it; what does not hang ends long before.
    "HPS_INFERENCE_TIMEOUT": str(HANG_SECONDS),
    # Signs of life come every 2 s.
    "HPS_TRITON_SILENCE_SECONDS": "8",
    # So that a Triton that waits for what is not there is one that hangs.
    "HPS_TRITON_EXIT_TIMEOUT": str(2 * HANG_SECONDS),
    "HPS_SHUTDOWN_GRACE_SECONDS": "3",
    "HPS_VLM_MAX_CONCURRENCY": str(CALLS_PER_VLM),
    "HPS_RENDER_WORKERS": "2",
}


class ChaosStack:
    """Its tiers, and what tests ask of all of it.

    Attributes:
        replaced: the kinds of processes that this test has others take the place of; see `leaks.census`.
        is_good: whether the last test has handed it back as it got it.
        remains: what this test leaves behind, because nobody can help it; see `leaks.Holdings`.
        temporary: the folder for temporary files of Triton and the gateway.
    """

    def __init__(self, folder: Path) -> None:
        http, grpc, metrics, gateway, *vlms = lasting_ports(6)
        self._folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.is_good = False
        self.replaced: set[str] = set()
        self.remains: dict[str, int] = {}
        self._places = folder / "places"
        environment = bare_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'triton_models'}")
        self.vlms = [
            Vlm(["tests.chaos.vlm", str(port)], port, environment, folder / f"vlm-{port}.log")
            for port in vlms
        ]
        self._settings = {
            **environment, **_SETTINGS,
            "TMPDIR": str(self.temporary),
            "HPS_ADMISSION_FILE": str(self._places),
            "HPS_VLM_URLS": ",".join(vlm.url for vlm in self.vlms),
            "HPS_TRITON_HTTP_PORT": str(http), "HPS_TRITON_GRPC_PORT": str(grpc),
            "HPS_TRITON_METRICS_PORT": str(metrics), "HPS_TRITON_URL": f"127.0.0.1:{grpc}",
            "HPS_TRITON_DIR": str(folder / "triton"),
            # The layout of a page by its size: the real engines only take longer to load.
            "HPS_TRITON_OVERLAY": str(lay_out_pipelines(folder / "overlay", baseline=False)),
        }  # fmt: skip
        self._metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        self.triton = Triton(["launch"], grpc, self._settings, folder / "triton.log")
        self.gateway = self._gateway(gateway)

    @property
    def url(self) -> str:
        return self.gateway.url

    def _gateway(self, port: int, **settings: str) -> Gateway:
        environment = {**self._settings, "HPS_PORT": str(port), **settings}
        return Gateway(["gateway"], port, environment, self._folder / f"gateway-{port}.log")

    @contextmanager
    def another_gateway(self, **settings: str) -> Iterator[Gateway]:
        """Before the same Triton, with settings and places of its own; to be waited for."""
        port = lasting_ports(1)[0]
        own_places = {"HPS_ADMISSION_FILE": f"{self._places}-{port}"}
        gateway = self._gateway(port, **own_places, **settings)
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.end()

    def restore(self) -> None:
        """Start what is not there, or not any more; undo what a test that failed has left undone."""
        for tier in (self.gateway, self.triton, *self.vlms):
            if not tier.lives():
                tier.start()
            for process in (tier.process, *tier.process.children(recursive=True)):
                if process.status() == psutil.STATUS_STOPPED:
                    process.resume()

    def end(self) -> None:
        for tier in (self.gateway, self.triton):
            tier.end()
        for vlm in self.vlms:
            vlm.kill()

    def said(self) -> list[tuple[str, str]]:
        """The end of each tier's log, under its name."""
        return [(tier.log.name, tier.said()) for tier in (self.gateway, self.triton, *self.vlms)]

    # What is missing.

    def missing(self) -> str:
        """What the gateway says that it lacks; empty when it is ready."""
        try:
            answer = httpx.get(f"{self.url}/health/ready", timeout=HANG_SECONDS)
        except httpx.TransportError as error:
            return repr(error)
        assert answer.status_code in (200, 503)
        return "" if answer.status_code == 200 else str(answer.json()["errorMsg"])

    async def until_ready(self) -> None:
        await eventually(lambda: not self.missing(), self.missing)

    # Orders to both VLM servers.

    def hold_calls(self, *, after: int = 0) -> None:
        """Let no call be answered after so many more at each."""
        self._order(answers=after)

    def answer_calls(self) -> None:
        self._order()

    def _order(self, **orders: int | None) -> None:
        for vlm in self.vlms:
            vlm.order(**orders)

    def calls_in_flight(self) -> int:
        return sum(vlm.seen().running for vlm in self.vlms)

    def calls_asked(self) -> int:
        return sum(vlm.seen().asked for vlm in self.vlms)

    def calls_left(self) -> int:
        """Whose clients left."""
        return sum(vlm.seen().left for vlm in self.vlms)

    async def until_calls(self, count: int) -> None:
        """Until so many are in flight."""
        await eventually(lambda: self.calls_in_flight() == count, f"{count} calls in flight")

    # What it is at.

    def pages_before_layout(self) -> int:
        """Pages that wait for the model."""
        pending = 'nv_inference_pending_request_count{model="layout-detection"'
        (line,) = (
            line for line in httpx.get(self._metrics_url).text.splitlines() if line.startswith(pending)
        )
        return int(line.split()[-1])

    def locked_places(self) -> int:
        """Bytes that are locked as places in the gateway's file: one for a document that runs or waits."""
        return self._locked(0, LANE_BYTES)

    def pages_in_flight(self) -> int:
        """Pages that the gateway's workers count; their lanes are the first behind the places."""
        pages = LANE_BYTES * (MOST_LANES + 2)
        return self._locked(pages, pages + LANE_BYTES * MOST_LANES)

    def _locked(self, first: int, end: int) -> int:
        inode = f":{self._places.stat().st_ino}"
        locks = (line.split() for line in Path("/proc/locks").read_text().splitlines())
        # Number, kind, ..., device:inode, first byte, last byte.
        ranges = ((int(lock[-2]), int(lock[-1])) for lock in locks if lock[-3].endswith(inode))
        return sum(1 + last - start for start, last in ranges if first <= start < end)

    @property
    def spooled(self) -> list[Path]:
        """Documents that lie on disk while they are parsed."""
        return list(self.temporary.glob("hps-document-*"))

    # Whether it is as good as new.

    async def prove_good(self) -> None:
        """Documents are parsed, and every place in the gateway and at the VLM servers can be taken."""
        for vlm in self.vlms:
            await eventually(vlm.is_up, "a VLM server is up")
        self.answer_calls()
        await self.until_ready()
        asked = [vlm.seen().asked for vlm in self.vlms]
        bodies = [documents.body(documents.pdf(3)) for _ in range(2)]
        # Until both servers are called again.
        while any(vlm.seen().asked == before for vlm, before in zip(self.vlms, asked, strict=True)):
            async with asyncio.timeout(HANG_SECONDS):
                for answer in await Crowd(self.url, bodies).answers():
                    assert answer.is_whole, (answer, answer.warnings[:2])
        await self._take_every_place()

    async def _take_every_place(self) -> None:
        self.hold_calls()
        crowd = Crowd(self.url, [documents.one_call() for _ in range(PLACES)])
        await eventually(
            lambda: all(vlm.seen().running == CALLS_PER_VLM for vlm in self.vlms),
            lambda: f"every place is taken: {[vlm.seen() for vlm in self.vlms]}",
        )
        self.answer_calls()
        for answer in await crowd.answers():
            assert answer.is_whole, (answer, answer.warnings[:2])
