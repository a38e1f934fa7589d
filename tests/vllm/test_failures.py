"""What goes wrong with a model and its server: loops, clients that leave, a vLLM that dies."""

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.vllm.conftest import ask
from tests.vllm.document import document, picture_page

WHOLE_PAGE = {"useLayoutDetection": False, "promptLabel": "ocr"}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def test_the_cache_holds_what_the_formula_of_the_plan_says(vllm):
    # Two layers, two KV heads of 64, keys and values in 4 bytes: 2 x 2 x 2 x 64 x 4 = 2,048 bytes a token.
    found = re.search(r"KV cache size: ([\d,]+) tokens", vllm.log)
    assert found is not None
    assert int(found[1].replace(",", "")) == 256 * 1024**2 // 2048


@pytest.mark.parametrize(
    "which", ["stack", "leaning_stack"], ids=["guarded-by-the-stream", "guarded-by-the-engine"]
)
def test_an_endless_text_is_stopped_and_said_to_be_one(request, vllm, parse, which):
    running = request.getfixturevalue(which)
    before = vllm.metric("generation_tokens_total")
    (page,) = parse(running, picture_page("red"), **WHOLE_PAGE)
    (block,) = page["prunedResult"]["parsing_res_list"]
    assert block["block_recognition"]["finish_reason"] == "repetition"
    assert block["block_content"].strip() == "spam and eggs,"
    wait_until(lambda: vllm.metric("num_requests_running") == 0, "vLLM is idle")
    # A tenth of the limit of 4,096, and not asked for again.
    assert vllm.metric("generation_tokens_total") - before < 1000


def test_without_a_loop_a_long_text_comes_whole(stack, parse):
    (page,) = parse(stack, picture_page("magenta"), **WHOLE_PAGE)
    (block,) = page["prunedResult"]["parsing_res_list"]
    words = block["block_content"].split()
    assert (len(words), words[0], words[-1]) == (3000, "word0", "word2999")


def test_a_client_that_leaves_stops_the_generation(stack, vllm):
    wait_until(lambda: vllm.metric("num_requests_running") == 0, "vLLM is idle before")
    before = vllm.metric("generation_tokens_total")
    with httpx.stream(
        "POST",
        f"{stack.url}/layout-parsing",
        files={"file": ("page", picture_page("magenta"))},
        data={name: str(value).lower() for name, value in WHOLE_PAGE.items()},
        headers={"Accept": "application/x-ndjson"},
        timeout=60,
    ) as answer:
        lines = answer.iter_lines()  # kept: httpx hangs up when nobody holds it
        assert json.loads(next(lines))["type"] == "document"
        wait_until(lambda: vllm.metric("num_requests_running") == 1, "vLLM generates")
    wait_until(lambda: vllm.metric("num_requests_running") == 0, "vLLM has stopped")
    assert vllm.metric("generation_tokens_total") - before < 2900


def test_vllm_killed_in_the_middle_of_a_document_is_a_503_and_it_goes_on_when_it_is_back(stack, vllm):
    """Last: it starts vLLM anew."""
    with ThreadPoolExecutor(1) as threads:
        pending = threads.submit(ask, stack, picture_page("magenta"), **WHOLE_PAGE)
        wait_until(lambda: vllm.metric("num_requests_running") == 1, "vLLM generates")
        vllm.kill()
        answer = pending.result()
    try:
        assert answer.status_code == 503, answer.text
        assert "VLM" in answer.json()["errorMsg"]
        assert "Retry-After" in answer.headers
        ready = httpx.get(f"{stack.url}/health/ready", timeout=30)
        assert ready.status_code == 503
        assert "VLM" in ready.json()["errorMsg"]
    finally:
        vllm.start()
    wait_until(
        lambda: httpx.get(f"{stack.url}/health/ready", timeout=30).status_code == 200,
        "the service is ready again",
    )
    again = ask(stack, document("white"))
    assert again.status_code == 200
    assert "warnings" not in again.json()["result"]["layoutParsingResults"][0]
