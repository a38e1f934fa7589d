"""Admission counts pages: books wait for books, single pages pass them, and nothing that ends keeps its pages."""

import asyncio
import base64
import json
import math
import os
import signal
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.fakes.triton import document_event, error_event, page_event
from tests.fakes.vlm import running_vlm
from tests.gateway.conftest import GOOD, assert_error
from tests.gateway.routes.test_hang_ups import client
from tests.gateway.test_running_gateway import free_port, process
from tests.gateway.waiting import eventually

BOOK = {"file": base64.b64encode(b"%PDF-1.7").decode()}


class Library:
    """Books whose pages are done when a test says so; images are done at once. A book's logId is its page count."""

    def __init__(self, triton) -> None:
        self.triton = triton
        self.done: list[asyncio.Queue] = []
        triton.script = self._script

    async def _script(self, received):
        if received.options["kind"] != "pdf":
            yield document_event()
            yield page_event(0)
            return
        pages, ready = int(received.options["logId"]), asyncio.Queue()
        self.done.append(ready)
        yield document_event(pages, "pdf", renderScale=2.0)
        for index in range(pages):
            if (error := await ready.get()) is not None:
                yield error
                return
            yield page_event(index)

    def finish(self, book: int, pages: int) -> None:
        for _ in range(pages):
            self.done[book].put_nowait(None)

    def fail(self, book: int) -> None:
        self.done[book].put_nowait(error_event("invalid_document"))


@pytest.fixture
def library(triton) -> Library:
    return Library(triton)


def pages_in_flight(gateway) -> int:
    """As this worker counts them, over all."""
    return gateway.resources.parsing.pages.count()


async def send_book(gateway, library, pages: int) -> asyncio.Task:
    """Sent, and its pages counted."""
    counted = min(pages, math.ceil(gateway.resources.settings.max_pages_in_flight / 2))
    expected, books = pages_in_flight(gateway) + counted, len(library.done)
    task = asyncio.create_task(gateway.parse({**BOOK, "logId": str(pages)}))
    await eventually(lambda: pages_in_flight(gateway) == expected and len(library.done) > books)
    return task


async def line_up(gateway, pages: int = 1) -> asyncio.Task:
    waiting = gateway.resources.admission.waiting_here
    task = asyncio.create_task(gateway.parse({**BOOK, "logId": str(pages)}))
    await eventually(lambda: gateway.resources.admission.waiting_here > waiting)
    return task


async def good(*tasks: asyncio.Task) -> None:
    async with asyncio.timeout(10):
        assert {(await task).status_code for task in tasks} == {200}


async def test_a_book_waits_until_enough_pages_of_others_are_done(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=4)
    one, two = await send_book(gateway, library, 6), await send_book(gateway, library, 6)
    third = await line_up(gateway)
    library.finish(0, 4)  # two are left, and it counts two as before
    await eventually(library.done[0].empty)
    for _ in range(5):  # several looks of those who wait
        await gateway.assert_still_good()
    assert gateway.resources.admission.waiting_here == 1
    library.finish(0, 1)
    await eventually(lambda: len(library.done) == 3)
    assert gateway.resources.admission.waiting_here == 0
    for book, pages in enumerate((1, 6, 1)):
        library.finish(book, pages)
    await good(one, two, third)
    assert pages_in_flight(gateway) == 0


async def test_single_pages_pass_the_books_that_wait(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=2, max_queued_requests=1)
    books = [await send_book(gateway, library, 6), await send_book(gateway, library, 6)]
    waiting = await line_up(gateway)
    answers = await asyncio.gather(*(gateway.parse() for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    answer = asyncio.create_task(gateway.parse({**BOOK, "logId": "1", "pageRanges": "3"}))
    await eventually(lambda: len(library.done) == 3)
    for book, pages in enumerate((6, 6, 1)):
        library.finish(book, pages)
    await eventually(lambda: len(library.done) == 4)
    library.finish(3, 1)
    await good(*books, waiting, answer)


async def test_one_book_however_long_keeps_nobody_out(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=10)
    book = await send_book(gateway, library, 1000)
    other = await send_book(gateway, library, 3)
    library.finish(1, 3)
    await good(other)
    library.finish(0, 1000)
    await good(book)


async def test_when_pages_and_waiting_places_are_full_a_book_is_429_and_the_service_ready(
    start_gateway, library
):
    async with running_vlm() as vlm:
        gateway = await start_gateway(max_pages_in_flight=2, max_queued_requests=1, vlm_urls=(vlm.url,))
        books = [await send_book(gateway, library, 6), await send_book(gateway, library, 6)]
        waiting = await line_up(gateway)
        assert (await gateway.http.get("/health/ready")).status_code == 200
    answer = await gateway.parse({**BOOK, "logId": "1"})
    assert_error(answer, 429, "HPS_MAX_PAGES_IN_FLIGHT")
    # Nothing measured yet: a page in two seconds, and two must be done: one for who waits.
    assert answer.headers["Retry-After"] == "4"
    for book, pages in enumerate((6, 6)):
        library.finish(book, pages)
    await eventually(lambda: len(library.done) == 3)
    library.finish(2, 1)
    await good(*books, waiting)


async def test_retry_after_follows_the_pace_of_pages(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=20, max_queued_requests=0)
    books = [await send_book(gateway, library, 1000), await send_book(gateway, library, 1000)]

    async def advice() -> int:
        answer = await gateway.parse({**BOOK, "logId": "1"})
        assert_error(answer, 429, "HPS_MAX_PAGES_IN_FLIGHT")
        return int(answer.headers["Retry-After"])

    assert await advice() == 2
    async with asyncio.timeout(20):
        while await advice() == 2:  # for a second there is nothing to compare with
            library.finish(0, 1)
    assert await advice() == 1
    library.finish(0, 1000)
    library.finish(1, 1000)
    await good(*books)


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
async def test_a_client_that_leaves_takes_its_pages_with_it(start_gateway, library, accept):
    gateway = await start_gateway(max_pages_in_flight=10)
    body = json.dumps({**BOOK, "logId": "8"}).encode()
    async with client(gateway, accept=accept, body=body):
        await eventually(lambda: pages_in_flight(gateway) == 5)
        async with client(gateway, accept=accept, body=body):
            await eventually(lambda: pages_in_flight(gateway) == 10)
            waiting = await line_up(gateway)
        await eventually(lambda: len(library.done) == 3)
    library.finish(2, 1)
    await good(waiting)
    await eventually(lambda: pages_in_flight(gateway) == 0)


async def test_a_book_that_fails_takes_its_pages_with_it(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=2)
    one, two = await send_book(gateway, library, 6), await send_book(gateway, library, 6)
    waiting = await line_up(gateway)
    library.fail(0)
    assert_error(await one, 422)
    await eventually(lambda: len(library.done) == 3)
    library.finish(1, 6)
    library.finish(2, 1)
    await good(two, waiting)
    assert pages_in_flight(gateway) == 0


async def test_draining_refuses_and_lets_the_books_in_line_in(start_gateway, library):
    gateway = await start_gateway(max_pages_in_flight=2, shutdown_grace_seconds=20)
    one, two = await send_book(gateway, library, 6), await send_book(gateway, library, 6)
    waiting = await line_up(gateway)
    gateway.resources.begin_drain()
    assert_error(await gateway.parse(BOOK), 503, "shutting down")
    library.finish(0, 6)
    await eventually(lambda: len(library.done) == 3)
    library.finish(1, 6)
    library.finish(2, 1)
    await good(one, two, waiting)


async def test_workers_share_the_count(start_gateway, library, tmp_path):
    shared = {"max_pages_in_flight": 4, "admission_file": tmp_path / "admission"}
    here, there = await start_gateway(**shared), await start_gateway(**shared)
    one, two = await send_book(here, library, 6), await send_book(there, library, 6)
    assert pages_in_flight(here) == pages_in_flight(there) == 4
    waiting = await line_up(here)
    await there.assert_still_good()
    library.finish(1, 6)
    await eventually(lambda: len(library.done) == 3)
    library.finish(0, 6)
    library.finish(2, 1)
    await good(one, two, waiting)


async def test_the_pages_of_a_killed_worker_are_free(start_gateway, library, triton, tmp_path):
    file, port = tmp_path / "admission", free_port()
    here = await start_gateway(max_pages_in_flight=2, admission_file=file)
    more = {"UVICORN_WORKERS": "1", "HPS_MAX_PAGES_IN_FLIGHT": "2", "HPS_ADMISSION_FILE": str(file)}
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(process(["-m", "gateway"], port, triton, **more))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        url = f"http://127.0.0.1:{port}/layout-parsing"
        lost = [asyncio.create_task(http.post(url, json={**BOOK, "logId": "6"})) for _ in range(2)]
        await eventually(lambda: pages_in_flight(here) == 2)
        waiting = await line_up(here)
        assert (await http.post(url, json=GOOD)).status_code == 200
        os.kill(running.pid, signal.SIGKILL)
        await eventually(lambda: len(library.done) == 3)
        library.finish(2, 1)
        await good(waiting)
        assert pages_in_flight(here) == 0
        for task in lost:
            with pytest.raises(httpx.TransportError):
                await task
