"""Requests as HTTP clients send them: programs of this machine, each with its own habits."""

import asyncio
import io
import json
import shutil
import subprocess
import urllib.error
import urllib.request

import aiohttp
import pytest
import requests

from tests.gateway.conftest import GOOD

SECONDS = 60
# curl asks before it sends a body of more than a megabyte.
LARGE = {**GOOD, "aFieldThatIsIgnored": "x" * 3_000_000}


@pytest.fixture
def body_file(tmp_path):
    path = tmp_path / "body.json"
    path.write_text(json.dumps(LARGE))
    return path


CURL = {
    "as it is": [],
    "asks before it sends": ["--expect100-timeout", "20"],
    "offers HTTP/2": ["--http2"],
    "HTTP/1.0": ["--http1.0"],
    "in chunks": ["-H", "Transfer-Encoding: chunked"],
    "wants it compressed": ["--compressed"],
    "two on one connection": ["--next"],
}


async def run(*command: object) -> str:
    """What a program writes; the gateway serves in this process meanwhile."""
    name = str(command[0])
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(SECONDS):
        output, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return output.decode()


@pytest.mark.parametrize("habit", CURL)
async def test_curl(gateway, triton, body_file, habit):
    one = [
        "-sS",
        *("-H", "Content-Type: application/json"),
        *("--data-binary", f"@{body_file}"),
        *("-w", "\n%{http_code}\n"),
        f"{gateway.url}/layout-parsing",
    ]
    arguments = [*one, "--next", *one] if habit == "two on one connection" else [*CURL[habit], *one]
    said = (await run("curl", *arguments)).split("\n")
    assert said[1::2][: len(triton.requests)] == ["200"] * len(triton.requests)
    assert json.loads(said[0])["errorCode"] == 0
    assert len(triton.requests) == arguments.count(f"{gateway.url}/layout-parsing")


async def test_curl_posts_a_form_in_chunks(gateway, triton, tmp_path):
    page = tmp_path / "page.png"
    page.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2_000_000))
    form = ["-F", f"file=@{page}", "-F", "visualize=false", "-H", "Transfer-Encoding: chunked"]
    answer = json.loads(await run("curl", "-sS", *form, f"{gateway.url}/layout-parsing"))
    assert answer["errorCode"] == 0
    assert triton.requests[0].document == page.read_bytes()


async def test_wget(gateway, body_file):
    said = await run(
        "wget",
        "-q",
        "-O-",
        "--header=Content-Type: application/json",
        f"--post-file={body_file}",
        f"{gateway.url}/layout-parsing",
    )
    assert json.loads(said)["errorCode"] == 0


async def test_perl(gateway, body_file):
    program = (
        "use HTTP::Tiny; open my $in, '<', $ARGV[1]; local $/; my $answer = HTTP::Tiny->new->post($ARGV[0],"
        "{content => <$in>, headers => {'Content-Type' => 'application/json'}}); print $answer->{content}"
    )
    said = await run("perl", "-e", program, f"{gateway.url}/layout-parsing", body_file)
    assert json.loads(said)["errorCode"] == 0


async def test_node_sends_a_stream(gateway, body_file):
    program = (
        "const { createReadStream } = require('fs'); fetch(process.argv[1], { method: 'POST', duplex: 'half',"
        "headers: { 'Content-Type': 'application/json' }, body: createReadStream(process.argv[2]) })"
        ".then((answer) => answer.text()).then(console.log)"
    )
    said = await run("node", "-e", program, f"{gateway.url}/layout-parsing", body_file)
    assert json.loads(said)["errorCode"] == 0


async def test_requests_sends_a_generator(gateway):
    def pieces():
        text = json.dumps(LARGE).encode()
        for start in range(0, len(text), 100_000):
            yield text[start : start + 100_000]

    def post():
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Content-Type": "application/json"}
            url = f"{gateway.url}/layout-parsing"
            return [
                session.post(url, data=pieces(), headers=headers, timeout=SECONDS).json() for _ in range(2)
            ]

    assert [answer["errorCode"] for answer in await asyncio.to_thread(post)] == [0, 0]


@pytest.mark.parametrize("ask_first", [False, True])
async def test_aiohttp(gateway, ask_first):
    async with aiohttp.ClientSession(gateway.url) as session:
        for _ in range(2):
            body = io.BytesIO(json.dumps(LARGE).encode())
            headers = {"Content-Type": "application/json"}
            sending = session.post("/layout-parsing", data=body, headers=headers, expect100=ask_first)
            async with sending as answer:
                assert (answer.status, (await answer.json())["errorCode"]) == (200, 0)
        form = aiohttp.FormData()
        form.add_field("file", b"\x89PNG\r\n\x1a\n" + bytes(1000), filename="a.png")
        async with session.post("/layout-parsing", data=form, expect100=ask_first) as answer:
            assert (answer.status, (await answer.json())["errorCode"]) == (200, 0)


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
async def test_a_monitor_that_asks_for_heads_only(start_gateway, path):
    gateway = await start_gateway(api_keys="a:k")
    answer = await gateway.http.head(path)
    assert answer.status_code in (200, 503)
    assert answer.content == b""
    assert answer.status_code == (await gateway.http.get(path)).status_code


async def test_urllib_learns_why_its_body_was_not_wanted(start_gateway):
    """It sends everything before it looks for an answer, and says that it will close."""
    gateway = await start_gateway(api_keys="alice:secret")

    def ask() -> tuple[int, str]:
        request = urllib.request.Request(f"{gateway.url}/layout-parsing", b"x" * 30_000_000)
        try:
            urllib.request.urlopen(request, timeout=SECONDS)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["errorMsg"]
        raise AssertionError("it was let in")

    status, message = await asyncio.to_thread(ask)
    assert (status, "API key" in message) == (401, True)
