import asyncio

import pytest

from docparse.errors import RegionFailure, VlmUnavailable
from docparse.vlm_client import VlmClient
from docparse.vlm_dialects import DIALECTS
from tests.fakes.vlm import FakeVlm, HangUp, hang, running_vlm

IMAGE = b"data:image/jpeg;base64,AAAA"


def client_for(*vlms: FakeVlm, retries: int = 2, timeout_seconds: float = 30) -> VlmClient:
    return VlmClient([vlm.url for vlm in vlms], "PaddleOCR-VL-0.9B", timeout_seconds, retries)


async def test_a_call_carries_the_picture_the_prompt_and_the_parameters():
    async with running_vlm("hello") as vlm, client_for(vlm) as client:
        completion = await client.complete(IMAGE, "OCR:", {"temperature": 0.0})
    assert (completion.text, completion.finish_reason, completion.retries) == ("hello", "stop", 0)
    body = vlm.completions[0].body
    assert body["model"] == "PaddleOCR-VL-0.9B"
    assert body["temperature"] == 0.0
    assert body["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": IMAGE.decode()}},
        {"type": "text", "text": "OCR:"},
    ]


@pytest.mark.parametrize(
    ("backend", "asked", "said"),
    [
        ("vllm", {"temperature": 0.0}, {"temperature": 0.0}),
        ("sglang", {"temperature": 0.0}, {"temperature": 0.0}),
        ("fastdeploy", {"temperature": 0.0}, {"temperature": 1.0, "top_p": 0.0}),
        ("fastdeploy", {"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}),
        ("fastdeploy", {"temperature": 0.7}, {"temperature": 0.7}),
    ],
)
async def test_each_engine_is_told_to_take_the_likeliest_token_in_its_own_words(backend, asked, said):
    async with running_vlm("hello") as vlm, VlmClient([vlm.url], "m", 30, 0, DIALECTS[backend]) as client:
        await client.complete(IMAGE, "OCR:", {**asked, "max_completion_tokens": 9})
    body = vlm.completions[0].body
    assert {name: body[name] for name in body if name not in ("model", "messages")} == {
        **said,
        "max_completion_tokens": 9,
    }


@pytest.mark.parametrize("fault", [HangUp, 500, 503, 429, b"no json", b'{"choices":[]}'])
async def test_a_fault_of_the_server_or_the_wire_is_tried_again(fault):
    async with running_vlm(fault, "hello") as vlm, client_for(vlm) as client:
        completion = await client.complete(IMAGE, "OCR:", {})
    assert (completion.text, completion.retries) == ("hello", 1)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_is_not_tried_again_and_costs_only_its_region(status):
    async with running_vlm(status) as vlm, client_for(vlm) as client:
        with pytest.raises(RegionFailure, match=f"{status}, no reason given"):
            await client.complete(IMAGE, "OCR:", {})
    assert len(vlm.completions) == 1


async def test_a_region_that_keeps_failing_on_a_healthy_server_is_a_region_failure():
    async with running_vlm(500) as vlm, client_for(vlm) as client:
        with pytest.raises(RegionFailure, match="3 times"):
            await client.complete(IMAGE, "OCR:", {})
    assert len(vlm.completions) == 3


async def test_a_server_that_is_gone_is_said_to_be_unavailable():
    async with running_vlm("never") as vlm:
        url = vlm.url
    async with VlmClient([url], "m", 30, retries=1) as client:
        with pytest.raises(VlmUnavailable):
            await client.complete(IMAGE, "OCR:", {})


async def test_a_server_that_hangs_is_given_up_after_its_timeout():
    async with running_vlm(hang) as vlm, client_for(vlm, retries=0, timeout_seconds=0.2) as client:
        with pytest.raises(RegionFailure):
            await client.complete(IMAGE, "OCR:", {})


async def test_a_failed_call_goes_to_another_server():
    async with running_vlm(500) as broken, running_vlm("hello") as sound, client_for(broken, sound) as client:
        for _ in range(3):
            assert (await client.complete(IMAGE, "OCR:", {})).text == "hello"
    assert len(broken.completions) <= 1


async def test_a_cancelled_call_closes_its_connection():
    async with running_vlm(hang) as vlm, client_for(vlm) as client:
        call = asyncio.create_task(client.complete(IMAGE, "OCR:", {}))
        await vlm.wait_for_completions(1)
        call.cancel()
        await vlm.wait_until_idle()
    assert vlm.completions[0].cancelled
