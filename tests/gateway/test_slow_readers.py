"""Clients that read slowly, on real sockets: they get all of it, and cost nobody else memory or a place."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes.triton import document_event, page_event
from tests.gateway.conftest import GOOD
from tests.gateway.raw import connected
from tests.gateway.test_running_gateway import free_port, process
from tests.gateway.waiting import eventually

MIB = 1024 * 1024
LINES = "application/x-ndjson"
PAGES, PAGE_BYTES = 60, 4_000_000


async def large_document(received):
    yield document_event(PAGES, "pdf")
    for index in range(PAGES):
        yield page_event(index, {"prunedResult": {}, "markdown": {"text": "x" * PAGE_BYTES}})


def asking(accept: str) -> str:
    body = json.dumps(GOOD)
    return (
        f"POST /layout-parsing HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def peak_resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.parametrize("accept", [LINES, "application/json"])
async def test_a_slow_reader_costs_little_memory_and_no_place_and_gets_everything(triton, accept):
    port = free_port()
    triton.script = large_document
    url = f"http://127.0.0.1:{port}"
    limits = {"UVICORN_WORKERS": "1", "HPS_MAX_CONCURRENT_REQUESTS": "1"}
    async with process(["-m", "gateway"], port, triton, **limits) as running, connected(url) as client:
        before = psutil.Process(running.pid).memory_info().rss
        client.send(asking(accept))
        head = await client.reader.readuntil(b"\r\n\r\n")
        # It reads no more for now. The model comes to its end all the same, and its place is free.
        await asyncio.wait_for(triton.requests[0].ended.wait(), 30)
        triton.script = one_small_page
        async with httpx.AsyncClient(timeout=30) as http:
            assert (await http.post(f"{url}/layout-parsing", json=GOOD)).status_code == 200
        content = await asyncio.wait_for(client.end(), 60)
        # Of 240 MB, at any time.
        assert peak_resident_bytes(running.pid) - before < 150 * MIB
    if accept == LINES:
        lines = [json.loads(line) for line in dechunked(content).splitlines()]
        assert [line.get("index", line["type"]) for line in lines] == ["document", *range(PAGES), "summary"]
        assert all(len(line["result"]["markdown"]["text"]) == PAGE_BYTES for line in lines[1:-1])
    else:
        assert f"content-length: {len(content)}".encode() in head
        assert len(json.loads(content)["result"]["layoutParsingResults"]) == PAGES


async def one_small_page(received):
    yield document_event()
    yield page_event(0)


def dechunked(content: bytes) -> bytes:
    pieces = []
    place = 0
    while True:
        end = content.index(b"\r\n", place)
        size = int(content[place:end], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(content[end + 2 : end + 2 + size])
        place = end + 2 + size + 2


async def test_lines_for_which_there_is_no_room_left_end_with_an_error(start_gateway, triton, caplog):
    caplog.set_level(logging.INFO, logger="gateway.access")
    gateway = await start_gateway(max_backlog_bytes=30_000_000, max_concurrent_requests=1)
    triton.script = large_document
    async with connected(gateway.url) as client:
        client.send(asking(LINES))
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        await asyncio.wait_for(triton.requests[0].ended.wait(), 30)
        assert triton.requests[0].cancelled
        triton.script = one_small_page
        await gateway.assert_still_good()
        client.writer.transport.resume_reading()
        lines = [json.loads(line) for line in dechunked(await client.end()).splitlines()]
    assert [line["type"] for line in lines] == ["document", *["page"] * (len(lines) - 2), "error"]
    assert (lines[-1]["errorCode"], lines[-1]["errorMsg"][:32]) == (503, "The answer is read too slowly, a")
    await eventually(lambda: gateway.resources.backlogs.free_disk_bytes == 30_000_000)
    await eventually(
        lambda: "reader_too_slow" in [getattr(each, "fields", {}).get("error") for each in caplog.records]
    )


async def test_one_object_for_which_there_is_no_room_on_disk_waits_in_memory(start_gateway, triton):
    gateway = await start_gateway(max_backlog_bytes=0)
    triton.script = large_document
    async with connected(gateway.url) as client:
        client.send(asking("application/json"))
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        await asyncio.sleep(1.5)
        client.writer.transport.resume_reading()
        content = await asyncio.wait_for(client.end(), 60)
    assert len(json.loads(content)["result"]["layoutParsingResults"]) == PAGES


@pytest.mark.parametrize("accept", [LINES, "application/json"])
async def test_a_slow_reader_that_leaves_leaves_nothing_behind(start_gateway, triton, accept):
    gateway = await start_gateway(max_concurrent_requests=1)
    whole = gateway.resources.backlogs.free_disk_bytes
    triton.script = large_document
    async with connected(gateway.url) as client:
        client.send(asking(accept))
        await client.reader.readuntil(b"\r\n\r\n")
        client.writer.transport.pause_reading()
        await eventually(lambda: gateway.resources.backlogs.free_disk_bytes < whole)
    await eventually(lambda: gateway.resources.backlogs.free_disk_bytes == whole)
    triton.script = one_small_page
    await gateway.assert_still_good()
