"""`python -m gateway` as people run it: several processes, signals, one limit."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes.triton import document_event, page_event
from tests.gateway.conftest import GOOD, assert_error
from tests.gateway.raw import connected
from tests.gateway.waiting import eventually

ROOT = Path(__file__).parents[2]
PLAIN_UVICORN = ["-m", "uvicorn", "--factory", "gateway.main:create_app", "--workers", "2"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@asynccontextmanager
async def process(
    command: list[str], port: int, triton, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Started and answering; killed with its workers at the end."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HPS_")},
        "HPS_HOST": "127.0.0.1",
        "HPS_PORT": str(port),
        "HPS_TRITON_URL": triton.url,
        **environment,
    }
    running = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, env=environment)
    tree = psutil.Process(running.pid)
    try:
        async with asyncio.timeout(60), httpx.AsyncClient() as http:
            while True:
                assert running.returncode is None, "the gateway did not start"
                try:
                    if (await http.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        yield running
    finally:
        if running.returncode is None:
            workers = tree.children(recursive=True)
            running.kill()
            for worker in workers:
                worker.kill()
        await running.wait()


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def lives(each: psutil.Process) -> bool:
    try:
        return each.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def send(port: int, count: int) -> list[httpx.Response]:
    """As many requests, each on its own connection, so that they spread over workers."""

    async def one() -> httpx.Response:
        async with httpx.AsyncClient(timeout=60) as http:
            return await http.post(f"http://127.0.0.1:{port}/layout-parsing", json=GOOD)

    return await asyncio.gather(*(one() for _ in range(count)))


@pytest.mark.parametrize("how", ["gateway", "uvicorn"])
async def test_the_limit_holds_whatever_the_number_of_workers(triton, how):
    port = free_port()
    command = ["-m", "gateway"] if how == "gateway" else [*PLAIN_UVICORN, "--port", str(port)]
    both = asyncio.Event()

    async def script(received):
        yield document_event()
        if triton.running == 2:
            both.set()
        await both.wait()
        yield page_event(0)

    triton.script = script
    limits = {"UVICORN_WORKERS": "2", "HPS_MAX_CONCURRENT_REQUESTS": "2", "HPS_MAX_QUEUED_REQUESTS": "100"}
    async with process(command, port, triton, **limits):
        answers = await send(port, 30)
    assert {answer.status_code for answer in answers} == {200}
    assert triton.most_running == 2


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_every_worker_declines_offers_to_upgrade(triton, workers):
    """As the HTTP client of Java's library makes them: a request with a body, in one packet or two."""
    port = free_port()
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    body = json.dumps(GOOD)
    head = f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\n{offer}Content-Length: {len(body)}\r\n\r\n"
    async with process(["-m", "gateway"], port, triton, UVICORN_WORKERS=workers):
        for parts in ([head + body], [head, body]) * 5:
            async with connected(f"http://127.0.0.1:{port}") as client:
                for part in parts:
                    client.send(part)
                    await client.writer.drain()
                assert (await client.answer())[0] == 200
        async with connected(f"http://127.0.0.1:{port}") as client:
            client.send("rubbish\r\n\r\n")
            await client.error(400, "HTTP/1.1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_signal_lets_documents_finish_and_leaves_no_process(triton, number, workers):
    port = free_port()
    finish = asyncio.Event()

    async def script(received):
        yield document_event()
        await finish.wait()
        yield page_event(0)

    triton.script = script
    async with process(["-m", "gateway"], port, triton, UVICORN_WORKERS=workers) as running:
        tree = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        answering = asyncio.create_task(send(port, 2))
        await triton.wait_for_requests(2)
        running.send_signal(number)
        await eventually(lambda: is_refused(port))  # not taken and left without an answer
        finish.set()
        assert {answer.status_code for answer in await answering} == {200}
        async with asyncio.timeout(15):
            await running.wait()
        await eventually(lambda: not any(lives(each) for each in tree))


async def test_documents_that_outlast_the_grace_period_are_answered_503(triton):
    port = free_port()

    async def script(received):
        yield document_event()
        await asyncio.Event().wait()

    triton.script = script
    grace = {"UVICORN_WORKERS": "1", "HPS_SHUTDOWN_GRACE_SECONDS": "0.5"}
    async with process(["-m", "gateway"], port, triton, **grace) as running:
        answering = asyncio.create_task(send(port, 1))
        await triton.wait_for_requests(1)
        running.send_signal(signal.SIGTERM)
        (answer,) = await answering
        assert_error(answer, 503, "shutting down")
        async with asyncio.timeout(10):
            await running.wait()


async def test_a_bad_setting_is_told_in_one_line():
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        cwd=ROOT,
        env={**os.environ, "HPS_PORT": "http"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await running.communicate()
    assert running.returncode == 2
    assert complaint.decode().startswith("gateway: HPS_PORT: ")
    assert complaint.count(b"\n") == 1
