"""The benchmark's clients: they count what came, and take nothing but good answers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from benchmarks.measure.clients import BadAnswer, Loops, ask_streamed, ask_whole, open_session
from benchmarks.workloads.requests import make_job

GOOD = b'{"logId":"1","result":{},"errorCode":0,"errorMsg":"Success"}'
LINES = [b'{"type":"document"}\n', b'{"type":"page","index":1,', b'"result":{}}\n{"type":"page","index":0}\n']
SUMMARY = b'{"type":"summary","errorCode":0}\n'
JOB = make_job(b"document", 2, is_pdf=True)


@pytest.fixture
async def service() -> AsyncIterator["Service"]:
    service = Service()
    app = web.Application()
    app.router.add_post("/layout-parsing", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield service
    await runner.cleanup()


class Service:
    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.whole = GOOD
        self.lines = [*LINES, SUMMARY]
        self.asked = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        await request.read()
        if "ndjson" not in request.headers.get("Accept", ""):
            return web.Response(status=self.status, body=self.whole)
        response = web.StreamResponse(status=self.status)
        await response.prepare(request)
        for line in self.lines:
            await response.write(line)
            await asyncio.sleep(0)
        return response


async def test_pages_of_a_stream_are_counted_as_they_come(service):
    times: list[float] = []
    async with open_session() as session:
        seconds = await ask_streamed(session, service.url, JOB, times.append)
    assert len(times) == 2
    assert 0 < times[0] <= times[1] <= seconds


@pytest.mark.parametrize(
    "lines", [LINES, [*LINES[:1], SUMMARY], [*LINES, b'{"type":"error","errorCode":500}\n']]
)
async def test_a_stream_that_is_not_whole_and_good_is_no_answer(service, lines):
    service.lines = lines
    async with open_session() as session:
        with pytest.raises(BadAnswer):
            await ask_streamed(session, service.url, JOB, lambda _: None)


@pytest.mark.parametrize(("status", "body"), [(500, GOOD), (200, b'{"errorCode":500}')])
async def test_an_error_is_no_answer(service, status, body):
    service.status, service.whole = status, body
    async with open_session() as session:
        with pytest.raises(BadAnswer):
            await ask_whole(session, service.url, JOB)


async def test_loops_go_on_until_they_are_left_and_note_what_came(service):
    async with open_session() as session, Loops(session, service.url) as loops:
        loops.add([JOB])
        loops.add([JOB], stream=True)
        while len(loops.finished.documents) < 10:
            await loops.run_for(0.01)
    finished = loops.finished
    assert len(finished.pages) >= 2 * len(finished.documents)
    assert {pages for _, pages, _ in finished.documents} == {2}


async def test_drained_loops_leave_nothing_in_flight(service):
    async with open_session() as session, Loops(session, service.url) as loops:
        for _ in range(3):
            loops.add([JOB])
        await loops.run_for(0.05)
        await loops.drain()
        assert service.asked == len(loops.finished.documents) >= 3


async def test_a_bad_answer_ends_the_run(service):
    service.status = 503
    with pytest.raises(BadAnswer):
        await loop_for_ten_seconds(service.url)


async def loop_for_ten_seconds(url: str) -> None:
    async with open_session() as session, Loops(session, url) as loops:
        loops.add([JOB])
        await loops.run_for(10)
