import asyncio

import pytest
from aiohttp import web

from docparse.errors import DeadlineExceeded, RegionFailure, VlmUnavailable
from docparse.vlm_dialects import DIALECTS
from tests.docparse.vlm import client_for
from tests.fakes.vlm import Completion, HangUp, Step, hang, running_vlm
from tests.gateway.waiting import eventually

IMAGE = b"data:image/jpeg;base64,AAAA"


async def test_a_call_carries_the_picture_the_prompt_and_the_parameters():
    async with running_vlm("hello") as vlm, client_for(vlm) as client:
        completion = await client.complete(IMAGE, "OCR:", {"temperature": 0.0})
    assert (completion.text, completion.finish_reason, completion.retries) == ("hello", "stop", 0)
    body = vlm.completions[0].body
    assert body["model"] == "m"
    assert body["temperature"] == 0.0
    assert body["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": IMAGE.decode()}},
        {"type": "text", "text": "OCR:"},
    ]


@pytest.mark.parametrize(("key", "header"), [("secret", "Bearer secret"), (None, None)])
async def test_a_server_that_asks_for_a_key_gets_it(key, header):
    async with running_vlm("hello") as vlm, client_for(vlm, key=key) as client:
        await client.complete(IMAGE, "OCR:", {})
    assert vlm.completions[0].authorization == header


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
    async with (
        running_vlm("hello") as vlm,
        client_for(vlm, dialect=DIALECTS[backend]) as client,
    ):
        await client.complete(IMAGE, "OCR:", {**asked, "max_completion_tokens": 9})
    body = vlm.completions[0].body
    assert {name: body[name] for name in body if name not in ("model", "messages")} == {
        **said,
        "max_completion_tokens": 9,
    }


@pytest.mark.parametrize("fault", [HangUp, 500, 503, b"no json", b'{"choices":[]}'])
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
    async with client_for(url, retries=1) as client:
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


def busy(seconds: str | None, status: int = 429) -> Step:
    async def reply(completion: Completion) -> web.Response:
        headers = {} if seconds is None else {"Retry-After": seconds}
        return web.json_response({"message": "no room"}, status=status, headers=headers)

    return reply


@pytest.mark.parametrize("answer", [busy("1"), busy("1", 503), busy(None), busy("tomorrow")])
async def test_a_server_that_is_too_busy_is_asked_again_when_it_says_and_that_is_no_attempt(answer):
    async with running_vlm(answer, answer, "hello") as vlm, client_for(vlm, retries=0) as client:
        asked = asyncio.get_running_loop().time()
        completion = await client.complete(IMAGE, "OCR:", {})
        waited = asyncio.get_running_loop().time() - asked
    assert (completion.text, completion.retries) == ("hello", 0)
    assert waited >= 1


async def test_a_server_that_is_too_busy_for_ever_is_given_up():
    async with running_vlm(busy(None)) as vlm, client_for(vlm, retries=0, timeout_seconds=0.1) as client:
        with pytest.raises(RegionFailure, match="HTTP 429"):
            await client.complete(IMAGE, "OCR:", {})


async def test_while_one_server_is_too_busy_calls_go_to_the_other():
    async with (
        running_vlm(busy("30")) as full,
        running_vlm("hello") as free,
        client_for(full, free) as client,
    ):
        for _ in range(3):
            assert (await client.complete(IMAGE, "OCR:", {})).text == "hello"
    assert len(full.completions) == 1


async def test_a_server_that_comes_back_at_once_costs_nothing():
    """It is down for as long as a circuit is open at first; the calls wait for it."""
    async with running_vlm("hello") as vlm, client_for(vlm, retries=2, circuit_seconds=0.3) as client:
        await vlm.stop()
        calls = [asyncio.create_task(client.complete(IMAGE, "OCR:", {})) for _ in range(20)]
        await eventually(lambda: not next(iter(client.replicas)).circuit.is_closed)
        await vlm.start()
        assert {(await call).text for call in calls} == {"hello"}


async def test_a_server_that_is_back_after_long_reads_every_region_though_its_circuit_is_still_open():
    async with running_vlm("hello") as vlm, client_for(vlm, circuit_seconds=600) as client:
        await vlm.stop()
        for _ in range(2):
            with pytest.raises(VlmUnavailable):
                await client.complete(IMAGE, "OCR:", {})
        await vlm.start()
        async with asyncio.timeout(30):
            calls = [client.complete(IMAGE, "OCR:", {}) for _ in range(20)]
            assert {completion.text for completion in await asyncio.gather(*calls)} == {"hello"}


async def test_a_server_that_is_back_and_still_fails_is_given_up():
    async with running_vlm(500) as vlm, client_for(vlm, circuit_seconds=600) as client:
        await vlm.stop()
        with pytest.raises(VlmUnavailable):
            await client.complete(IMAGE, "OCR:", {})
        await vlm.start()
        async with asyncio.timeout(30):
            calls = [client.complete(IMAGE, "OCR:", {}) for _ in range(20)]
            failures = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(failure) for failure in failures} == {RegionFailure}
    assert len(vlm.completions) <= len(calls)


async def test_a_server_that_comes_back_is_tried_by_one_call_before_the_others():
    gate = asyncio.Event()

    async def hold(completion: Completion) -> str:
        await gate.wait()
        return "hello"

    async with running_vlm(hold) as vlm, client_for(vlm, retries=2, circuit_seconds=0.1) as client:
        await vlm.stop()
        calls = [asyncio.create_task(client.complete(IMAGE, "OCR:", {})) for _ in range(20)]
        await eventually(lambda: not next(iter(client.replicas)).circuit.is_closed)
        await vlm.start()
        await vlm.wait_for_completions(1)
        await asyncio.sleep(0.3)  # the others look, and look again
        assert len(vlm.completions) == 1
        gate.set()
        assert {(await call).text for call in calls} == {"hello"}


async def test_how_many_servers_are_called_is_told_when_one_goes_and_when_it_is_back():
    told: list[int] = []
    async with running_vlm("hello") as one, running_vlm("hello") as two, client_for(one, two) as client:
        client.replicas.on_change = told.append
        await one.stop()
        for _ in range(3):
            assert (await client.complete(IMAGE, "OCR:", {})).text == "hello"
        assert told == [1]
        await one.start()
        while told[-1] != 2:
            await client.complete(IMAGE, "OCR:", {})
    assert told == [1, 2]


async def test_a_server_that_hangs_with_its_health_probe_is_left_long_before_its_calls_time_out():
    async with running_vlm(hang) as stuck, running_vlm("hello") as sound:
        client = client_for(stuck, sound, timeout_seconds=60, silence_seconds=0.1)
        async with client:
            stuck.hang_health = True
            calls = [asyncio.create_task(client.complete(IMAGE, "OCR:", {})) for _ in range(6)]
            await stuck.wait_for_completions(1)
            async with asyncio.timeout(30):
                assert {(await call).text for call in calls} == {"hello"}
            await stuck.wait_until_idle()


async def test_a_server_that_is_slow_but_answers_its_health_probe_is_waited_for():
    gate = asyncio.Event()

    async def hold(completion: Completion) -> str:
        await gate.wait()
        return "hello"

    async with running_vlm(hold) as vlm, client_for(vlm, silence_seconds=0.02) as client:
        call = asyncio.create_task(client.complete(IMAGE, "OCR:", {}))
        await vlm.wait_for_health_checks(3)
        gate.set()
        assert (await call).retries == 0


async def test_a_call_ends_with_the_clock_of_its_document_and_that_is_no_fault_of_the_server():
    async with running_vlm(hang) as vlm, client_for(vlm) as client:
        for _ in range(9):
            with pytest.raises(DeadlineExceeded):
                await client.complete(IMAGE, "OCR:", {}, seconds_left=0.01)
        assert next(iter(client.replicas)).circuit.is_closed
