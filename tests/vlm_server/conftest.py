"""The real server over the real models, once for all tests of this room."""

import asyncio
import threading

import httpx
import pytest
import uvicorn

from tests.vlm_server.asking import request_body
from tests.vlm_server.commands import Cli
from vlm_server.embedded.app import create_app
from vlm_server.embedded.engine import Engine
from vlm_server.embedded.metrics import Metrics
from vlm_server.embedded.settings import Settings


@pytest.fixture
def cli(capsys):
    return Cli(capsys)


@pytest.fixture(scope="session")
def server_url():
    config = uvicorn.Config(create_app(Settings(threads=2)), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        thread.join(0.02)
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
async def client(server_url):
    async with httpx.AsyncClient(base_url=server_url, timeout=60) as http:
        yield http


@pytest.fixture
def ask(client):
    async def post(picture, prompt="OCR:", **options):
        return await client.post("/v1/chat/completions", json=request_body(picture, prompt, **options))

    return post


@pytest.fixture
def read(ask):
    async def text_of(picture, prompt="OCR:", **options):
        answer = await ask(picture, prompt, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["choices"][0]["message"]["content"]

    return text_of


@pytest.fixture
async def metric(client):
    async def value(name):
        lines = (await client.get("/metrics")).text.splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"embedded:{name} "))

    return value


@pytest.fixture(scope="session")
def engine():
    loaded = asyncio.run(Engine.load(threads=2, metrics=Metrics()))
    yield loaded
    loaded.close()
