"""Reading pictures step by step on a few threads.

A request is a coroutine; each network call in it is a step on a pool with one thread per core. So one big
picture uses every core, small ones share them, and a cancelled request costs nothing after its present step.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

import cv2

from vlm_server.embedded import ink
from vlm_server.embedded.lines import Line
from vlm_server.embedded.metrics import Metrics
from vlm_server.embedded.models import Image, Quad, TextModels

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MIN_SCORE = 0.5  # RapidOCR's own: below, it is a smudge that looked like text


class Engine:
    """The networks and the threads that run them. Use from one event loop."""

    def __init__(self, models: TextModels, *, threads: int, metrics: Metrics) -> None:
        self._models = models
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ocr")

    @classmethod
    async def load(cls, *, threads: int, metrics: Metrics) -> Self:
        """Load the models from RapidOCR's wheel and run them once; about a second, nothing is downloaded."""
        # OpenCV's own threads would compete with ours for the same cores.
        cv2.setNumThreads(1)
        models = await asyncio.to_thread(TextModels)
        await asyncio.to_thread(models.warm_up)
        return cls(models, threads=threads, metrics=metrics)

    def close(self) -> None:
        """Drop steps not yet started and wait for those that are."""
        self._threads.shutdown(cancel_futures=True)

    async def step(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run `work` on a thread. Cancelled while it waits for one, it never starts."""

        def run() -> _T:
            loop.call_soon_threadsafe(self._count_step)
            return work(*args, **kwargs)

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run)

    async def read(self, image: Image) -> list[Line]:
        """All lines of text in `image`, in no order; [] for a blank one."""
        quads = await self.step(self._find, image)
        return await self.read_quads(image, quads)

    async def read_quads(self, image: Image, quads: list[Quad]) -> list[Line]:
        """Read the lines in these boxes; those that hold no text are left out."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.step(self._models.read_quad, image, quad)) for quad in quads]
        readings = [task.result() for task in tasks]
        return [
            Line(reading.text, reading.score, quad)
            for reading, quad in zip(readings, quads, strict=True)
            if reading.text.strip() and reading.score >= _MIN_SCORE
        ]

    def _find(self, image: Image) -> list[Quad]:
        mask = ink.find_ink(image)
        if mask is None:
            return []
        rows = ink.find_rows(mask)
        if rows is not None:
            return ink.row_quads(rows, image.shape)
        return self._models.detect(image, scale=ink.detector_scale(mask))

    def _count_step(self) -> None:
        self._metrics.steps_total += 1
