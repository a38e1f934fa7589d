"""Texts that did not end as they should: cut at the token limit, or repeating themselves."""

import asyncio
import dataclasses
import itertools

import pytest

from docparse.errors import VlmUnavailable
from docparse.recognition import Recognition
from docparse.repetition import TABLE_RULES, TEXT_RULES
from tests.docparse.test_recognition import read_regions, recognizer_for, region
from tests.fakes.vlm import Said, hang, running_vlm

GUARDS = ["stream", "engine", "off"]
CUT, WHOLE = Said(["half of "], "length"), "half of it, and the rest"
SPAM, CELLS = "spam and eggs, ", "<ecel>" * 20 + "<nl>"


async def read_one(vlm, sampling=None, label="text", **settings):
    async with recognizer_for(vlm, **settings) as recognizer:
        read = await read_regions(recognizer, [region(1, label=label)], sampling or {})
    return read[1]


def limits_of(vlm):
    return [completion.body["max_completion_tokens"] for completion in vlm.completions]


@pytest.mark.parametrize("guard", GUARDS)
async def test_a_text_that_was_cut_is_asked_for_once_more_with_more_room(guard):
    async with running_vlm(CUT, WHOLE) as vlm:
        read = await read_one(vlm, guard=guard)
    assert read == Recognition(WHOLE, "stop", longer_attempts=1)
    assert limits_of(vlm) == [4096, 8192]


async def test_a_text_that_is_cut_again_is_the_longer_one_and_says_so():
    async with running_vlm(CUT, Said(["half of it, and "], "length")) as vlm:
        read = await read_one(vlm)
    assert read == Recognition("half of it, and ", "length", longer_attempts=1)
    assert len(vlm.completions) == 2


async def test_a_limit_of_the_client_is_the_limit():
    async with running_vlm(CUT) as vlm:
        read = await read_one(vlm, {"max_completion_tokens": 100})
    assert read == Recognition("half of ", "length")
    assert limits_of(vlm) == [100]


@pytest.mark.parametrize(("most", "limits"), [(4096, [4096]), (1000, [1000]), (4097, [4096, 4097])])
async def test_there_is_no_second_attempt_where_it_would_have_no_more_room(most, limits):
    async with running_vlm(CUT) as vlm:
        read = await read_one(vlm, max_output_tokens=most)
    assert (read.finish_reason, limits_of(vlm)) == ("length", limits)


@pytest.mark.parametrize("refusal", [400, 500])
async def test_a_second_attempt_that_fails_leaves_the_text_of_the_first(refusal):
    """As when the model's context has no room for it."""
    async with running_vlm(CUT, refusal) as vlm:
        read = await read_one(vlm)
    assert read == Recognition("half of ", "length", longer_attempts=1)


async def test_a_server_that_is_gone_at_the_second_attempt_is_said_to_be_gone():
    async with running_vlm(CUT, hang) as vlm, recognizer_for(vlm) as recognizer:
        reading = asyncio.create_task(read_regions(recognizer, [region(1)], {}))
        await vlm.wait_for_completions(2)
        await vlm.stop()
        with pytest.raises(VlmUnavailable):
            await reading


async def test_faults_are_counted_apart_from_attempts_with_more_room():
    async with running_vlm(503, CUT, 503, 503, WHOLE) as vlm:
        read = await read_one(vlm, retries=2)
    assert read == Recognition(WHOLE, "stop", retries=3, longer_attempts=1)


async def test_a_region_that_failed_says_how_often_it_was_tried():
    async with running_vlm(500) as vlm:
        read = await read_one(vlm, retries=1)
    assert (read.finish_reason, read.retries, read.longer_attempts) == ("error", 1, 0)


@pytest.mark.parametrize(
    ("label", "unit", "turns"), [("text", SPAM, 273), ("table", CELLS, 200)], ids=["text", "table"]
)
@pytest.mark.parametrize("guard", GUARDS)
async def test_a_text_that_was_cut_while_it_looped_is_not_asked_for_again(guard, label, unit, turns):
    async with running_vlm(Said(["Before it:\n", *[unit] * turns], "length", whole=True)) as vlm:
        read = await read_one(vlm, label=label, guard=guard)
    assert (read.finish_reason, read.longer_attempts) == ("repetition", 0)
    assert read.text in ("Before it:\n" + unit, "Before it:\n" + unit * 2)
    assert len(vlm.completions) == 1


async def test_a_sparse_table_that_was_cut_is_asked_for_again():
    async with running_vlm(Said([CELLS] * 60, "length"), Said([CELLS] * 62)) as vlm:
        read = await read_one(vlm, label="table")
    assert read == Recognition(CELLS * 62, "stop", longer_attempts=1)


@pytest.mark.parametrize(("label", "unit"), [("text", SPAM), ("table", CELLS)], ids=["text", "table"])
async def test_a_loop_is_left_while_it_is_generated_and_cut_to_one_turn(label, unit):
    async with running_vlm(Said(itertools.chain(["Before it:\n"], itertools.repeat(unit)))) as vlm:
        read = await read_one(vlm, label=label)
        await vlm.wait_until_idle()
    assert read.finish_reason == "repetition"
    assert read.text in ("Before it:\n" + unit, "Before it:\n" + unit * 2)
    assert vlm.completions[0].cancelled


async def test_what_follows_a_loop_on_a_page_is_read_all_the_same():
    async with (
        running_vlm(Said(itertools.repeat(SPAM)), "fine") as vlm,
        recognizer_for(vlm, limit=1) as recognizer,
    ):
        read = await read_regions(recognizer, [region(1), region(2)], {})
    assert [read[index].finish_reason for index in (1, 2)] == ["repetition", "stop"]
    assert read[2].text == "fine"


async def test_a_text_that_the_model_ended_itself_is_left_as_it_is():
    looped = SPAM * 200
    async with running_vlm(looped) as vlm:
        assert await read_one(vlm) == Recognition(looped, "stop")


@pytest.mark.parametrize(("label", "rules"), [("text", TEXT_RULES), ("table", TABLE_RULES)])
async def test_an_engine_that_looks_for_loops_itself_is_told_what_they_are(label, rules):
    async with running_vlm(Said(["Before it:\n" + SPAM * 40], "repetition", "repetition_detected")) as vlm:
        read = await read_one(vlm, label=label, guard="engine")
    body = vlm.completions[0].body
    assert body["repetition_detection"] == dataclasses.asdict(rules.engine)
    assert set(body["repetition_detection"]) == {"min_pattern_size", "max_pattern_size", "min_count"}
    assert "stream" not in body
    assert read == Recognition("Before it:\n" + SPAM, "repetition")


@pytest.mark.parametrize("guard", ["stream", "off"])
async def test_other_engines_are_not_told(guard):
    async with running_vlm("fine") as vlm:
        await read_one(vlm, guard=guard)
    assert "repetition_detection" not in vlm.completions[0].body
    assert ("stream" in vlm.completions[0].body) is (guard == "stream")


async def test_what_a_client_says_to_its_engine_goes_before():
    own = {"repetition_detection": {"max_pattern_size": 5, "min_pattern_size": 1, "min_count": 99}}
    async with running_vlm("fine") as vlm:
        await read_one(vlm, own, guard="engine")
    assert vlm.completions[0].body["repetition_detection"] == own["repetition_detection"]


async def test_a_page_that_is_cancelled_while_it_asks_again_drops_that_call():
    async with running_vlm(CUT, hang) as vlm, recognizer_for(vlm, limit=1) as recognizer:
        reading = asyncio.create_task(read_regions(recognizer, [region(1)], {}))
        await vlm.wait_for_completions(2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await vlm.wait_until_idle()
    assert [completion.cancelled for completion in vlm.completions] == [False, True]
