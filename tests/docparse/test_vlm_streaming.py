"""Answers that are streamed and watched: what the client makes of them, and when it leaves."""

import asyncio
import itertools

import pytest

from docparse.errors import RegionFailure
from docparse.repetition import TABLE_RULES, TEXT_RULES
from tests.docparse.vlm import client_for
from tests.fakes.vlm import Completion, FakeVlm, HangUp, Said, event, hang, refusal, running_vlm

IMAGE = b"data:image/jpeg;base64,AAAA"
TEXT, TABLE = TEXT_RULES.stream, TABLE_RULES.stream


async def ask(vlm: FakeVlm, watch=TEXT, **settings):
    async with client_for(vlm, **settings) as client:
        return await client.complete(IMAGE, "OCR:", {}, watch)


async def test_the_pieces_of_a_stream_join_to_the_text():
    async with running_vlm(Said(["Grüße, ", "世", "界", "!\n"])) as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.finish_reason, completion.retries) == ("Grüße, 世界!\n", "stop", 0)
    assert vlm.completions[0].body["stream"] is True
    assert vlm.completions[0].cancelled is False


async def test_without_a_watch_no_stream_is_asked_for():
    async with running_vlm("hello") as vlm:
        completion = await ask(vlm, watch=None)
    assert completion.text == "hello"
    assert "stream" not in vlm.completions[0].body


async def test_a_text_without_end_is_left_soon_after_it_began_to_loop():
    async with running_vlm(Said(itertools.repeat("spam and eggs, "))) as vlm:
        completion = await ask(vlm)
        await vlm.wait_until_idle()
    assert completion.finish_reason == "repetition"
    assert completion.text.startswith("spam and eggs, spam and eggs, ")
    assert vlm.completions[0].cancelled
    assert vlm.completions[0].pieces_sent < 200


async def test_a_sparse_table_is_given_more_room_but_not_for_ever():
    async with running_vlm(Said(itertools.repeat("<ecel>" * 20 + "<nl>"))) as vlm:
        completion = await ask(vlm, TABLE)
        await vlm.wait_until_idle()
    assert completion.finish_reason == "repetition"
    assert vlm.completions[0].cancelled
    assert 60 < vlm.completions[0].pieces_sent < 150


async def test_a_text_that_repeats_itself_and_ends_is_whole():
    looped = "spam and eggs, " * 200
    async with running_vlm(Said([looped])) as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.finish_reason) == (looped, "stop")


async def test_a_server_that_answers_whole_all_the_same_is_understood():
    async with running_vlm(Said(["hello"], "length", whole=True)) as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.finish_reason) == ("hello", "length")


async def test_a_connection_is_used_again_after_a_stream():
    async with running_vlm("hello") as vlm, client_for(vlm) as client:
        for _ in range(3):
            await client.complete(IMAGE, "OCR:", {}, TEXT)
    assert len({completion.client_port for completion in vlm.completions}) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Said(["half of ", HangUp]),
        Said(["half of "], finish_reason=None),
        Said([], finish_reason=None),
        Said(["half of ", event(error={"message": "engine died", "code": 500})]),
        Said(["half of ", event(error={"message": "no code"})]),
        Said(["half of ", event(object="error", message="as older servers say it", code=503)]),
        Said(["half of ", b"data: {no json\n\n"]),
        Said(["half of ", event(choices=[{"index": 0}])]),
        Said(["half of ", event(nothing="of the kind")]),
        Said(["half of "], "abort"),
        Said(["half of "], "abort", whole=True),
        Said(["half of "], "error"),
    ],
    ids=["hang-up", "no end", "empty", "error", "error without code", "older error", "no json", "no delta",
         "no choices", "abort", "abort, whole", "given up"],
)  # fmt: skip
async def test_a_stream_that_breaks_off_is_tried_again(broken):
    async with running_vlm(broken, "hello") as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.finish_reason, completion.retries) == ("hello", "stop", 1)


@pytest.mark.parametrize("fault", [HangUp, 500, 503, b"no json", b'{"choices":[]}'])
async def test_faults_before_a_stream_begins_are_tried_again_too(fault):
    async with running_vlm(fault, "hello") as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.retries) == ("hello", 1)


@pytest.mark.parametrize(
    "refused",
    [
        Said(["half of ", event(error={"message": "no reason given", "code": 400})]),
        Said([event(object="error", message="no reason given", code=400)]),
        400,
    ],
    ids=["inside", "inside, older", "before"],
)
async def test_a_refusal_of_a_stream_is_not_tried_again(refused):
    async with running_vlm(refused) as vlm:
        with pytest.raises(RegionFailure, match="400, no reason given"):
            await ask(vlm)
    assert len(vlm.completions) == 1


async def test_a_failure_says_how_often_it_was_tried():
    async with running_vlm(500) as vlm:
        with pytest.raises(RegionFailure) as failed:
            await ask(vlm, retries=2)
    assert failed.value.retries == 2
    async with running_vlm(500, 400) as vlm:
        with pytest.raises(RegionFailure) as refused:
            await ask(vlm, retries=2)
    assert refused.value.retries == 1


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason", "understood"),
    [
        ("repetition", "repetition_detected", "repetition"),
        ("stop", "repetition_detected", "repetition"),
        ("repetition", None, "repetition"),
        ("stop", 2, "stop"),
        ("eos_token", None, "stop"),
        ("length", None, "length"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
async def test_what_an_engine_says_of_the_end_is_understood(finish_reason, stop_reason, understood, whole):
    async with running_vlm(Said(["text"], finish_reason, stop_reason, whole)) as vlm:
        assert (await ask(vlm, watch=None if whole else TEXT)).finish_reason == understood


async def test_events_may_come_in_any_slices_and_between_comments():
    wire = (
        b": ping\r\n\r\nevent: chunk\r\nid: 3\r\n"
        + event(choices=[{"delta": {"role": "assistant", "content": None}}])
        + event(choices=[{"delta": {"content": "Grüße"}, "finish_reason": None}]).replace(b"\n", b"\r\n")
        + event(choices=[{"delta": {}}]).replace(b"data: ", b"data:")
        + event(choices=[{"delta": {"content": " 世界"}, "finish_reason": "stop"}])
    )
    slices = [wire[place : place + 7] for place in range(0, len(wire), 7)]
    async with running_vlm(Said(slices, finish_reason=None)) as vlm:
        completion = await ask(vlm)
    assert (completion.text, completion.finish_reason) == ("Grüße 世界", "stop")


async def test_a_stream_that_stalls_is_given_up_after_its_timeout():
    async def stall(completion: Completion):
        return Said(_say_then_wait())

    async with running_vlm(hang) as vlm:
        vlm.reply = stall
        with pytest.raises(RegionFailure):
            await ask(vlm, retries=0, timeout_seconds=0.3)
        await vlm.wait_until_idle()
    assert vlm.completions[0].cancelled


def _say_then_wait():
    yield "half of "
    yield asyncio.Event().wait()


async def test_a_cancelled_stream_closes_its_connection():
    async with running_vlm(Said(map(str, itertools.count()))) as vlm, client_for(vlm) as client:
        call = asyncio.create_task(client.complete(IMAGE, "OCR:", {}, TEXT))
        await vlm.wait_for_pieces(3)
        call.cancel()
        await vlm.wait_until_idle()
    assert vlm.completions[0].cancelled


async def test_a_refused_picture_says_why_as_before():
    async def refuse(completion: Completion):
        return refusal(400, "too many tokens")

    async with running_vlm(refuse) as vlm:
        with pytest.raises(RegionFailure, match="HTTP 400, too many tokens"):
            await ask(vlm)
