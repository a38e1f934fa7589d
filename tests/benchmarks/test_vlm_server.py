"""The simulated VLM server: vLLM's protocol, whole and streamed, and who leaves is noticed at once."""

import asyncio
import json

import pytest

from benchmarks.simulators.pictures import fit_patches, picture_size
from benchmarks.simulators.vlm.answers import Answers
from docparse.crops import fit_sides
from docparse.repetition import TABLE_RULES, TEXT_RULES, find_loop
from tests.benchmarks.asking import completion, picture_url, until


def events(body: bytes) -> list[dict]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    assert lines[-1] == b"[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def text_of(streamed: list[dict]) -> str:
    return "".join(event["choices"][0]["delta"].get("content", "") for event in streamed if event["choices"])


@pytest.mark.parametrize("prompt", ["OCR:", "Table Recognition:", "Formula Recognition:"])
async def test_a_streamed_answer_is_the_whole_answer_in_pieces(vlm, prompt):
    _, whole = await vlm.ask(completion(prompt=prompt))
    _, streamed = await vlm.ask(completion(prompt=prompt, stream=True))
    choice = json.loads(whole)["choices"][0]
    pieces = events(streamed)
    assert text_of(pieces) == choice["message"]["content"]
    assert choice["finish_reason"] == pieces[-1]["choices"][0]["finish_reason"] == "stop"
    length = json.loads(whole)["usage"]["completion_tokens"]
    interval = vlm.engine.costs.stream_interval
    assert length / interval <= len(pieces) <= length / interval + 2


async def test_an_answer_ends_at_the_limit_that_was_asked_for(vlm):
    _, body = await vlm.ask(completion(max_completion_tokens=3))
    answer = json.loads(body)
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["choices"][0]["finish_reason"] == "length"


async def test_the_same_request_has_the_same_answer(vlm):
    assert (
        json.loads((await vlm.ask(completion()))[1])["choices"]
        == (json.loads((await vlm.ask(completion()))[1])["choices"])
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_is_noticed_at_once(vlm, stream):
    request = vlm.session.post("/v1/chat/completions", data=completion(1500, 900, stream=stream))
    asking = asyncio.create_task(_read(request))
    await until(lambda: vlm.engine.running == 1)
    asking.cancel()
    await asyncio.wait([asking])
    await until(lambda: vlm.engine.counters.aborted == 1)
    made = vlm.engine.counters.tokens
    await asyncio.sleep(0.05)
    assert vlm.engine.running == 0
    assert vlm.engine.counters.tokens == made == vlm.engine.counters.wasted_tokens


async def _read(request) -> None:
    async with request as answer:
        await answer.read()


async def test_the_counters_balance(vlm):
    await asyncio.gather(*(vlm.ask(completion(28 * n + 280, 280)) for n in range(10)))
    async with vlm.session.get("/simulator/counters") as answer:
        counted = await answer.json()
    assert counted["requests"] == counted["finished"] == 10
    assert counted["aborted"] == counted["running"] == counted["waiting"] == 0
    assert counted["costs"]["sequences"] == vlm.engine.costs.sequences
    async with vlm.session.get("/metrics") as answer:
        metrics = await answer.text()
    assert f'vllm:generation_tokens_total{{model_name="PaddleOCR-VL-0.9B"}} {counted["tokens"]}' in metrics


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"{}",
        completion().replace(b"data:image/jpeg", b"http://picture"),
        completion().replace(b"base64,/9j/", b"base64,AAAA"),
        completion(6000, 28),
    ],
    ids=["no JSON", "no messages", "no data URL", "no JPEG", "too thin"],
)
async def test_what_the_model_cannot_see_is_refused(vlm, body):
    status, answer = await vlm.ask(body)
    assert status == 400
    assert json.loads(answer)["error"]["message"]


async def test_health_and_models_answer(vlm):
    async with vlm.session.get("/health") as answer:
        assert answer.status == 200
    async with vlm.session.get("/v1/models") as answer:
        assert (await answer.json())["data"][0]["id"] == "PaddleOCR-VL-0.9B"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_size_of_a_picture_is_in_its_head(kind):
    assert picture_size(picture_url(123, 45, kind)) == (123, 45)


@pytest.mark.parametrize("size", [(560, 224), (40, 30), (1190, 1684), (3000, 90), (28, 28), (1003, 1001)])
def test_patches_are_the_same_whichever_side_scales_the_picture(size):
    width, height = size
    sides = fit_sides(height, width, 112_896, 1_003_520)
    assert fit_patches(width, height) == (sides[0] // 28, sides[1] // 28)
    assert fit_patches(sides[1], sides[0]) == fit_patches(width, height)


def test_no_answer_looks_like_a_loop(costs):
    answers = Answers(costs, seed=1)
    text = answers.text("OCR:", (20, 30), 0, costs.longest)
    table = answers.text("Table Recognition:", (20, 30), 0, costs.longest)
    assert find_loop(text, TEXT_RULES.stream) is None
    assert find_loop(table, TABLE_RULES.stream) is None


def test_mean_lengths_follow_the_size_of_the_picture(costs):
    answers = Answers(costs, seed=1)
    lengths = [answers.length("OCR:", (10, columns)) / (10 * columns) for columns in range(15, 140)]
    assert sum(lengths) / len(lengths) == pytest.approx(costs.tokens_per_visual_token, rel=0.1)


async def test_a_request_for_a_stream_may_ask_for_usage(vlm):
    _, body = await vlm.ask(completion(stream=True, stream_options={"include_usage": True}))
    assert events(body)[-1]["usage"]["completion_tokens"] > 0
