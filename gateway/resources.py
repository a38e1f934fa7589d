"""What lives as long as a worker: clients, the door, services. Closed in reverse order of opening."""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import aiohttp

from gateway.allocation import keep_freed_memory
from gateway.deadline import Deadlines
from gateway.services.admission import Admission
from gateway.services.backlog import Backlogs
from gateway.services.documents import Documents
from gateway.services.fetching import UrlFetcher
from gateway.services.images import Images
from gateway.services.pages import PagesInFlight
from gateway.services.parsing import Parsing
from gateway.services.readiness import Readiness
from gateway.services.restructuring import Restructuring
from gateway.services.slots import SlotFile
from gateway.settings import Settings
from gateway.upstreams.triton import Triton
from gateway.upstreams.vlm import VlmProbe

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resources:
    """Everything that routes need."""

    settings: Settings
    deadlines: Deadlines
    admission: Admission
    documents: Documents
    parsing: Parsing
    restructuring_admission: Admission
    restructuring: Restructuring
    readiness: Readiness
    images: Images | None
    backlogs: Backlogs

    def begin_drain(self) -> None:
        """Not ready from now on, no new work; what is in flight gets the grace period."""
        if self.admission.draining:
            return
        logger.info("draining")
        self.admission.begin_drain()
        self.restructuring_admission.begin_drain()
        self.deadlines.cut_short(self.settings.shutdown_grace_seconds)


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open all, and close in reverse order."""
    keep_freed_memory()
    async with AsyncExitStack() as stack:
        slots = stack.enter_context(SlotFile(admission_path(settings)))
        pages = PagesInFlight(slots, limit=settings.max_pages_in_flight)
        admission = Admission(
            slots,
            max_running=settings.max_concurrent_requests,
            max_waiting=settings.max_queued_requests,
            drain_retry_after_seconds=settings.shutdown_grace_seconds,
            pages=pages,
        )
        restructuring_admission = Admission(
            slots,
            max_running=settings.max_concurrent_non_inference_requests,
            max_waiting=settings.max_queued_requests,
            drain_retry_after_seconds=settings.shutdown_grace_seconds,
            door=1,
        )
        fetcher = UrlFetcher(
            allowed_networks=settings.url_allowed_networks,
            timeout_seconds=settings.url_timeout_seconds,
            max_bytes=settings.max_document_bytes,
        )
        stack.push_async_callback(fetcher.aclose)
        probes = await stack.enter_async_context(aiohttp.ClientSession())
        triton = Triton(settings.triton_url, silence_seconds=settings.triton_silence_seconds)
        stack.push_async_callback(triton.aclose)
        resources = Resources(
            settings=settings,
            deadlines=Deadlines(settings.inference_timeout_seconds),
            admission=admission,
            documents=Documents(fetcher, max_bytes=settings.max_document_bytes),
            parsing=Parsing(triton=triton, admission=admission, pages=pages),
            restructuring_admission=restructuring_admission,
            restructuring=Restructuring(triton=triton, admission=restructuring_admission),
            readiness=Readiness(
                triton=triton,
                vlms=[VlmProbe(url, probes) for url in settings.vlm_urls],
                timeout_seconds=settings.health_check_timeout_seconds,
            ),
            images=open_images(settings),
            backlogs=Backlogs(settings.max_backlog_bytes),
        )
        stack.enter_context(draining_on_signal(resources.begin_drain))
        yield resources


def open_images(settings: Settings) -> Images | None:
    """The pictures of the local image store; None where answers or another store carry them."""
    if settings.image_store != "local":
        return None
    assert settings.image_store_dir is not None  # noqa: S101 - checked with the settings
    assert settings.image_store_secret is not None  # noqa: S101
    return Images(settings.image_store_dir, settings.image_store_secret.get_secret_value().encode())


def admission_path(settings: Settings) -> Path | None:
    """The file over which this worker shares its limit; None when it is the only one.

    Workers that a supervisor started through multiprocessing (uvicorn --workers) meet under its number.

    Raises:
        RuntimeError: there may be other workers, and no way to find them.
    """
    if settings.admission_file is not None:
        return settings.admission_file
    parent = multiprocessing.parent_process()
    if parent is not None:
        return (
            Path(tempfile.gettempdir())
            / f"paddleocr-vl-hps-admission-{os.getuid()}-{parent.pid}-{_birth(parent.pid)}"
        )
    if "gunicorn" in sys.modules:
        raise RuntimeError(
            "Set HPS_ADMISSION_FILE to a file that all workers can open: without it each worker would "
            "apply HPS_MAX_CONCURRENT_REQUESTS on its own."
        )
    return None


def _birth(pid: int | None) -> str:
    """Start time of a process, so that a later one with the same number is not taken for it."""
    # The 22nd field of stat; the second may hold spaces and ends with the last parenthesis.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


@contextmanager
def draining_on_signal(begin_drain: Callable[[], None]) -> Iterator[None]:
    """Learn of a shutdown when it is asked for: the server tells the application only after its last request.

    The server's own handlers stay in charge; ours runs before them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    servers = {int(each): signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    ours: dict[int, Callable[[int, FrameType | None], None]] = {}

    def chain(number: int, server: Callable[[int, FrameType | None], object]) -> None:
        def handle(received: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(begin_drain)
            server(received, frame)

        ours[number] = handle
        signal.signal(number, handle)

    for number, server in servers.items():
        if callable(server):
            chain(number, server)
    try:
        yield
    finally:
        for number, handle in ours.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, servers[number])
