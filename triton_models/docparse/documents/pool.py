"""Worker processes that render pages, each replaceable without the others noticing.

The standard library's pool gives up all its work when one process dies. Here a worker that PDFium takes
down, or that does not answer in time, costs the one page that it was at, and is replaced.
"""

import asyncio
import dataclasses
import logging
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from docparse.documents.worker import Placed, RenderTask, serve_tasks
from docparse.errors import DocparseError, PageFailure
from docparse.page_memory import PageMemory
from docparse.protocol import PageSize
from docparse.scheduling import FairLimiter, Owner, Turn

logger = logging.getLogger(__name__)


# A worker imports for a second, and longer where many start at once.
_START_SECONDS = 120.0


# Read once, when OpenCV is loaded: of how many pixels it may decode a picture, whatever its header says.
_OPENCV_LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"
_environment_lock = threading.Lock()


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """For a process that is started meanwhile; it can be given an environment in no other way."""
    with _environment_lock:
        before = os.environ.get(name)
        os.environ[name] = value
        try:
            yield
        finally:
            os.environ.pop(name)
            if before is not None:
                os.environ[name] = before


class _WorkerDied(Exception):
    """The process ended before it answered."""


class _Worker:
    """One process and our end of its pipe; started by its first task, used by one thread at a time.

    Only `end` may come from another thread: what starts or ends the process holds the lock.
    """

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        # Spawned: a fork of a process with Triton's threads would copy their locks.
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._greeted = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def call(self, task: RenderTask, timeout_seconds: float) -> Any:
        connection = self.ensure_started()
        try:
            self._await_greeting(connection)
            connection.send(task)
            if not connection.poll(timeout_seconds):
                self.kill()
                raise PageFailure(f"{_describe(task)} took longer than {timeout_seconds:g} s to render.")
            answer = connection.recv()
        except (EOFError, OSError) as error:
            self.kill()
            raise _WorkerDied from error
        if isinstance(answer, (DocparseError, PageFailure)):
            raise answer
        return answer

    def ensure_started(self) -> Connection:
        """Our end of the pipe to a process that lives.

        Raises:
            PageFailure: the worker was ended for good.
        """
        with self._lock:
            if self._ended:
                raise PageFailure("The service is stopping.")
            if self._process is not None and not self._process.is_alive():
                self._clear()  # it died between two tasks; that is nobody's fault
            if self._connection is None:
                self._connection, theirs = self._context.Pipe()
                self._process = self._context.Process(target=serve_tasks, args=(theirs,), daemon=True)
                with _environment(_OPENCV_LIMIT, str(self._max_pixels)):
                    self._process.start()
                theirs.close()
            return self._connection

    def await_ready(self) -> None:
        """Start the process, and wait until it has imported what it needs."""
        self._await_greeting(self.ensure_started())

    def _await_greeting(self, connection: Connection) -> None:
        if not self._greeted:
            if not connection.poll(_START_SECONDS):
                raise EOFError
            connection.recv()
            self._greeted = True

    def kill(self) -> None:
        """End the process; the next task starts another."""
        with self._lock:
            self._clear()

    def end(self) -> None:
        """End the process for good; a thread that waits for its answer learns of it by the pipe."""
        with self._lock:
            self._ended = True
            if self._process is not None:
                self._process.kill()  # it has nothing to save

    def _clear(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None
        self._greeted = False


class RenderPool:
    """A fixed number of render workers; tasks wait for one in a fair line."""

    def __init__(self, workers: int, timeout_seconds: float, max_pixels: int) -> None:
        self._timeout_seconds = timeout_seconds
        self._workers = [_Worker(max_pixels) for _ in range(workers)]
        self._idle = deque(self._workers)
        self._limiter = FairLimiter(workers)
        self._memory = PageMemory()
        # One thread per worker only waits on its pipe.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="render")

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that have started."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    async def run(self, task: RenderTask, turn: Turn | None = None) -> Any:
        """The worker's answer to `task`; without a `turn` it is a document of its own.

        Raises:
            PageFailure: the worker died or took too long over it.
            DocparseError: what the worker found wrong with the document.
        """
        await self._limiter.acquire(turn or Turn(Owner()))
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._threads, self._run, task)
        except RuntimeError as error:  # closed meanwhile
            self._limiter.release()
            raise PageFailure("The service is stopping.") from error
        # A worker goes on with what nobody waits for any more, and is not free until then.
        answer.add_done_callback(lambda _: self._limiter.release())
        return await asyncio.shield(answer)

    def warm_up(self) -> None:
        """Start every worker now and wait for it, so that the first document does not."""
        for worker in self._workers:
            worker.ensure_started()
        for worker in self._workers:
            worker.await_ready()

    def close(self) -> None:
        """End the workers, wherever they are; tasks still waiting are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.end()
        self._threads.shutdown()  # each sees the end of its worker
        for worker in self._workers:
            worker.kill()
        self._memory.close()

    def _run(self, task: RenderTask) -> Any:
        worker = self._idle.popleft()  # as many threads as workers: there is always one
        try:
            return self._call(worker, task) if task.size is None else self._draw(worker, task, task.size)
        finally:
            self._idle.append(worker)

    def _draw(self, worker: _Worker, task: RenderTask, size: PageSize) -> Any:
        # Held until the worker is done, whoever waits for it.
        lease = self._memory.lease(size.height, size.width)
        answer = self._call(worker, dataclasses.replace(task, room=lease.path))
        return lease.array(answer.height, answer.width) if isinstance(answer, Placed) else answer

    def _call(self, worker: _Worker, task: RenderTask) -> Any:
        try:
            return worker.call(task, self._timeout_seconds)
        except _WorkerDied:
            logger.warning("a render worker died; %s is tried once more", _describe(task))
        try:
            return worker.call(task, self._timeout_seconds)
        except _WorkerDied as error:  # twice in a row: it is this page
            raise PageFailure(f"{_describe(task)} brought its render process down.") from error


def _describe(task: RenderTask) -> str:
    return "The document" if task.index is None else f"Page {task.index + 1}"
