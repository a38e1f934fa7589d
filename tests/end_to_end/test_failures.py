"""Tiers that die and clients that leave, with the real processes."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deploy.local.process import RunningStack, running_stack
from tests.end_to_end.conftest import EXAMPLES, OwnVlm, own_vlm
from tests.samples import image_bytes

PAPER = {"file": base64.b64encode((EXAMPLES / "paper.pdf").read_bytes()).decode(), "visualize": False}
BLANK = {"file": base64.b64encode(image_bytes("png")).decode(), "visualize": False}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


class VlmCounters:
    """What the embedded VLM server says of itself."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __getattr__(self, name: str) -> int:
        text = httpx.get(f"{self._url}/metrics").text
        match = re.search(rf"^embedded:{name} (\d+)", text, re.MULTILINE)
        assert match is not None, name
        return int(match[1])

    @property
    def idle(self) -> bool:
        return self.num_requests_running == 0 and self.num_requests_waiting == 0


def leave_when_the_vlm_is_busy(stack: RunningStack, counters: VlmCounters) -> None:
    """Ask for the paper, and hang up while its first regions are being read."""
    asked = counters.requests_total
    with (
        httpx.Client(base_url=stack.url, timeout=120) as client,
        client.stream(
            "POST", "/layout-parsing", json=PAPER, headers={"Accept": "application/x-ndjson"}
        ) as answer,
    ):
        lines = answer.iter_lines()  # kept: httpx hangs up when nobody holds it
        assert json.loads(next(lines))["type"] == "document"
        wait_until(lambda: counters.requests_total > asked, "a region of the paper is read")


def test_a_client_that_leaves_stops_the_calls_to_the_vlm(stack):
    counters = VlmCounters(stack.vlm_url)
    wait_until(lambda: counters.idle, "the VLM is idle before the test")
    asked, aborted = counters.requests_total, counters.requests_aborted_total
    leave_when_the_vlm_is_busy(stack, counters)
    wait_until(lambda: counters.idle, "the VLM is idle after the client left")
    assert counters.requests_aborted_total > aborted
    stopped_at = counters.requests_total
    answer = httpx.post(f"{stack.url}/layout-parsing", json=BLANK, timeout=120)
    assert answer.status_code == 200
    # The paper has some fifty regions; what was not asked for by then is never asked for.
    assert counters.requests_total - stopped_at <= 1
    assert stopped_at - asked < 30


def test_a_client_that_closes_its_connection_without_reading_stops_the_calls_too(stack):
    counters = VlmCounters(stack.vlm_url)
    wait_until(lambda: counters.idle, "the VLM is idle before the test")
    asked = counters.requests_total
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{stack.url}/layout-parsing", json=PAPER, timeout=httpx.Timeout(60, read=1.5))
    wait_until(lambda: counters.idle, "the VLM is idle after the client left")
    assert counters.requests_total - asked < 40


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnVlm]:
    with own_vlm(tmp_path_factory.mktemp("vlm") / "vlm.log") as vlm:
        yield vlm


@pytest.fixture(scope="module")
def fragile(vlm: OwnVlm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack that uses a VLM server of the test's own, which may be killed."""
    log = tmp_path_factory.mktemp("fragile") / "stack.log"
    with running_stack(log, {"HPS_VLM_URLS": vlm.url, "HPS_VLM_RETRIES": "1"}) as running:
        yield running


def test_the_vlm_killed_in_the_middle_of_a_document_is_a_503_and_readiness_says_so(fragile, vlm):
    counters = VlmCounters(vlm.url)
    with ThreadPoolExecutor(1) as threads:
        asked = counters.requests_total
        answer = threads.submit(httpx.post, f"{fragile.url}/layout-parsing", json=PAPER, timeout=120)
        wait_until(lambda: counters.requests_total > asked, "a region of the paper is read")
        vlm.kill()
        body = answer.result().json()
    assert (answer.result().status_code, body["errorCode"]) == (503, 503)
    assert "VLM" in body["errorMsg"]
    assert "Retry-After" in answer.result().headers
    ready = httpx.get(f"{fragile.url}/health/ready", timeout=30)
    assert ready.status_code == 503
    assert "VLM" in ready.json()["errorMsg"]

    vlm.start()
    wait_until(lambda: httpx.get(f"{fragile.url}/health/ready", timeout=30).status_code == 200, "ready again")
    again = httpx.post(f"{fragile.url}/layout-parsing", json=PAPER, timeout=120)
    assert again.status_code == 200
    assert all("warnings" not in page for page in again.json()["result"]["layoutParsingResults"])


def test_a_document_without_regions_needs_no_vlm(fragile, vlm):
    vlm.kill()
    try:
        assert httpx.post(f"{fragile.url}/layout-parsing", json=BLANK, timeout=60).status_code == 200
    finally:
        vlm.start()
