"""The stack without a GPU, as `docker compose up` starts it: it answers, is locked in, comes back, stops in time."""

import ipaddress
import json
import threading
import time

import httpx
import pytest

from tests.docker.project import API, ROOT, TRITON, VLM, run
from tests.end_to_end.reading import character_error_rate, read_text, true_pages, true_text

EXAMPLE = ROOT / "examples" / "invoice.png"
EVERY = [API, TRITON, VLM]

# Addresses of the other ends of all TCP and UDP sockets.
CONNECTIONS = """
import json, socket, struct
def address(text):
    data = bytes.fromhex(text.split(":")[0])
    words = struct.unpack(f"={len(data) // 4}I", data)
    data = struct.pack(f">{len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)
found = set()
for name in ("tcp", "tcp6", "udp", "udp6"):
    try:
        lines = open(f"/proc/net/{name}").read().splitlines()[1:]
    except FileNotFoundError:
        continue
    found |= {address(line.split()[2]) for line in lines}
print(json.dumps(sorted(found)))
"""
WRITE = """
import os
refused = []
for folder in ("/", "/app", "/usr", "/etc", "/opt/venv", "/models", "/config"):
    try:
        open(os.path.join(folder, "written"), "w").close()
    except OSError:
        refused.append(folder)
open("/tmp/written", "w").close()
print(os.getuid(), " ".join(refused))
"""


def test_an_example_is_parsed_through_the_published_port(stack):
    answer = stack.parse(EXAMPLE, visualize="true")
    assert answer.status_code == 200, answer.text
    (page,) = answer.json()["result"]["layoutParsingResults"]
    (truth,) = true_pages("invoice")
    assert character_error_rate(read_text(page), true_text(truth)) < 0.02
    picture = httpx.get(page["inputImage"], timeout=30)  # from the volume that both tiers share
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert page["inputImage"].startswith(f"http://localhost:{stack.port}/images/")


@pytest.mark.parametrize("service", EVERY)
def test_a_container_runs_as_an_ordinary_user_on_a_root_that_it_cannot_write_to(stack, service):
    described = stack.inspect(service)
    assert described["HostConfig"]["ReadonlyRootfs"] is True
    assert described["HostConfig"]["CapDrop"] == ["ALL"]
    assert described["HostConfig"]["Privileged"] is False
    assert described["State"]["Health"]["Status"] == "healthy"
    said = stack.execute(service, WRITE).split()
    assert said == ["10001", "/", "/app", "/usr", "/etc", "/opt/venv", "/models", "/config"]


@pytest.mark.parametrize("service", EVERY)
def test_only_the_api_listens_on_the_host(stack, service):
    bound = {port for port, where in stack.inspect(service)["NetworkSettings"]["Ports"].items() if where}
    assert bound == ({"8080/tcp"} if service == API else set())


def test_triton_and_the_vlm_server_are_only_in_a_network_that_docker_lets_nobody_out_of(stack):
    for service in EVERY:
        networks = stack.inspect(service)["NetworkSettings"]["Networks"]
        internal = [json.loads(run("docker", "network", "inspect", name))[0]["Internal"] for name in networks]
        assert sorted(internal) == ([False, True] if service == API else [True])


def test_nothing_speaks_to_anyone_outside_while_documents_are_parsed(stack):
    ends: set[str] = set()
    done = threading.Event()

    def parse() -> None:
        for name in ("invoice.png", "paper.pdf", "chinese.png"):
            assert stack.parse(ROOT / "examples" / name).status_code == 200
        done.set()

    thread = threading.Thread(target=parse)
    thread.start()
    while thread.is_alive():
        for service in EVERY:
            ends.update(json.loads(stack.execute(service, CONNECTIONS)))
    thread.join()
    assert done.is_set()
    private = [ipaddress.ip_address(end) for end in ends]
    assert len(ends) > 2  # it has seen the tiers speak to each other
    assert [str(end) for end in private if not (end.is_private or _mapped_is_private(end))] == []


def _mapped_is_private(end: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(end, "ipv4_mapped", None)
    return mapped is not None and mapped.is_private


def test_a_vlm_server_that_is_killed_is_a_503_and_all_is_well_when_it_is_back(stack):
    stack.compose("kill", VLM)
    stack.wait_until(503)
    answer = stack.parse(EXAMPLE)
    assert answer.status_code == 503
    assert answer.json()["errorCode"] == 503
    assert httpx.get(f"{stack.url}/health", timeout=10).status_code == 200
    stack.compose("start", VLM)
    stack.wait_until(200)
    assert stack.parse(EXAMPLE).status_code == 200


@pytest.mark.parametrize("service", [VLM, TRITON])
def test_a_tier_that_ends_by_itself_is_started_again(stack, service):
    stack.execute(service, "import os, signal; os.kill(1, signal.SIGTERM)")
    deadline = time.monotonic() + 120
    while stack.inspect(service)["RestartCount"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    stack.wait_until(200)
    assert stack.parse(EXAMPLE).status_code == 200


def test_it_stops_within_the_grace_period_and_finishes_what_is_in_flight(stack):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(stack.parse(EXAMPLE).status_code))
    thread.start()
    time.sleep(1)
    started = time.monotonic()
    stack.compose("stop", seconds=150)
    seconds = time.monotonic() - started
    thread.join()
    codes = {service: stack.inspect(service)["State"]["ExitCode"] for service in EVERY}
    print(f"\nstopped in {seconds:.1f} s: {codes}")
    assert codes == dict.fromkeys(EVERY, 0)  # 137 is what Docker kills when its patience is over
    assert answers == [200]
