import asyncio
import json
import re

import httpx
import pytest
from PIL import ImageOps

from tests.vlm_server.asking import MODEL, request_body
from tests.vlm_server.drawing import blank, data_url, text_image

POND = ["The pond lost forty litres", "between Monday and Friday."]


async def test_text_is_read_as_running_text(read):
    assert await read(text_image(POND, width=400)) == " ".join(POND)


async def test_lines_that_end_early_stay_lines(read):
    lines = ["Dear members,", "the chair will open the meeting at half past seven"]
    assert await read(text_image(lines, width=900)) == "\n".join(lines)


async def test_a_leaning_page_is_read_with_the_detector(read):
    picture = text_image([*POND, *POND], width=400).rotate(2, expand=True, fillcolor="white")
    assert re.sub(r"\s+", " ", await read(picture)) == " ".join(POND + POND)


async def test_a_jpeg_is_read_like_a_png(read):
    picture = text_image(POND, width=400)
    assert await read(data_url(picture, "JPEG")) == await read(picture)


async def test_light_text_on_dark_is_read(read):
    assert await read(ImageOps.invert(text_image(POND[:1], width=400))) == POND[0]


@pytest.mark.parametrize(
    "prompt", ["OCR:", "Table Recognition:", "Formula Recognition:", "Seal Recognition:"]
)
@pytest.mark.parametrize("size", [(400, 120), (3, 3), (1, 1), (190, 1)])
async def test_a_blank_picture_of_any_size_is_empty_text(ask, prompt, size):
    answer = (await ask(blank(*size), prompt)).json()
    assert answer["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": "stop",
    }


async def test_formula_comes_between_display_brackets(read):
    text = await read(text_image(["E = k T + 0.4"], width=300), "Formula Recognition:")
    assert re.fullmatch(r"\\\[ .* \\\]", text)
    assert text.replace(" ", "") == r"\[E=kT+0.4\]"


async def test_chart_gives_its_printed_texts_row_by_row(read):
    picture = text_image(["Water level in June", "0          25          50"], width=500)
    assert await read(picture, "Chart Recognition:") == "Water level in June\n0 | 25 | 50"


async def test_spotting_locates_each_line_in_thousandths(read):
    text = await read(text_image(["Ferry Road"], width=400, margin=100), "Spotting:")
    match = re.fullmatch(r"Ferry Road((?:<\|LOC_\d+\|>){8})", text)
    assert match
    x1, y1, x2, _, _, y2, *_ = (int(number) for number in re.findall(r"\d+", match[1]))
    assert 190 < x1 < 260
    assert x2 > x1 + 200
    assert 350 < y1 < y2 < 650


async def test_usage_adds_up_and_grows_with_the_picture(ask):
    small = (await ask(text_image(POND, width=400))).json()["usage"]
    large = (await ask(text_image(POND, width=800))).json()["usage"]
    assert small["total_tokens"] == small["prompt_tokens"] + small["completion_tokens"]
    assert large["prompt_tokens"] > small["prompt_tokens"]
    assert 8 <= small["completion_tokens"] <= 20


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_token_limit_cuts_the_text_and_says_length(ask, name):
    choice = (await ask(text_image(POND, width=400), **{name: 3})).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == "The pond los"


async def test_streaming_says_the_same_as_not_streaming(client, read):
    picture = text_image(["Dear members,", "the chair will open the meeting at half past seven"], width=900)
    body = request_body(picture, stream=True, stream_options={"include_usage": True})
    response = await client.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    deltas = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]]
    assert "".join(deltas) == await read(picture)
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0


async def test_sampling_parameters_are_accepted_and_mean_nothing(read):
    picture = text_image(POND, width=400)
    options = {
        "top_p": 0.8,
        "repetition_penalty": 1.1,
        "skip_special_tokens": True,
        "mm_processor_kwargs": {"min_pixels": 1000},
    }
    assert await read(picture, **options) == await read(picture)


async def test_the_model_is_listed_and_answers_under_the_name_that_each_version_of_paddleocr_asks_for(
    client, ask
):
    names = [card["id"] for card in (await client.get("/v1/models")).json()["data"]]
    assert names == [MODEL, "PaddleOCR-VL-1.5-0.9B", "PaddleOCR-VL-1.6-0.9B"]
    for name in names:
        answer = await ask(text_image(["one"]), model=name)
        assert (answer.status_code, answer.json()["model"]) == (200, name)


async def test_health_is_200_once_the_port_answers(client):
    assert (await client.get("/health")).status_code == 200


async def test_many_at_once_are_all_answered(read):
    pictures = [text_image([f"Region number {index}"], width=400) for index in range(20)]
    assert await asyncio.gather(*map(read, pictures)) == [f"Region number {index}" for index in range(20)]


async def test_a_client_that_leaves_stops_the_work(client, metric, server_url):
    page = text_image(
        [f"Row {index} of a page that nobody will read to its end" for index in range(60)], width=900
    )
    aborted, steps = await metric("requests_aborted_total"), await metric("steps_total")
    with pytest.raises(httpx.ReadTimeout):
        await client.post(
            "/v1/chat/completions", json=request_body(page), timeout=httpx.Timeout(60, read=0.4)
        )
    async with asyncio.timeout(5):
        while await metric("num_requests_running"):  # each look is a request: no spinning
            pass
    assert await metric("requests_aborted_total") == aborted + 1
    assert await metric("num_requests_waiting") == 0
    assert await metric("steps_total") - steps < 50
