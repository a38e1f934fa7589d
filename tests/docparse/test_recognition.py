"""Regions through the recogniser to a VLM server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import cv2
import numpy as np
import pytest

from docparse.deadline import Deadline
from docparse.errors import VlmUnavailable
from docparse.recognition import PixelLimits, Recognition, Recognizer, RepetitionGuard
from docparse.regions import RegionRequest
from docparse.scheduling import FairLimiter, Owner, Turn
from tests.docparse.parsing import grey_in
from tests.docparse.vlm import client_for
from tests.fakes.vlm import Completion, FakeVlm, HangUp, hang, refusal, running_vlm

MIN_PIXELS, MAX_PIXELS = 112_896, 1_003_520


def region(index: int, height: int = 56, width: int = 84, **changes: object) -> RegionRequest:
    """A region whose grey is ten times its index."""
    picture = np.full((height, width, 3), 10 * index, np.uint8)
    return RegionRequest(index, picture, "OCR:", MIN_PIXELS, MAX_PIXELS, **{"label": "text", **changes})


@asynccontextmanager
async def recognizer_for(
    vlm: FakeVlm,
    limit: int = 128,
    *,
    pixel_limits: PixelLimits = "resize",
    guard: RepetitionGuard = "stream",
    max_output_tokens: int = 8192,
    retries: int = 0,
) -> AsyncIterator[Recognizer]:
    async with client_for(vlm, timeout_seconds=60, retries=retries) as client:
        yield Recognizer(
            client,
            FairLimiter(limit),
            pixel_limits=pixel_limits,
            repetition_guard=guard,
            max_output_tokens=max_output_tokens,
        )


async def read_regions(
    recognizer: Recognizer,
    regions: list[RegionRequest],
    sampling: dict[str, object],
    turn: Turn | None = None,
) -> dict[int, Recognition]:
    """The regions of a page, or of a document of its own."""
    return await recognizer.recognise(
        recognizer.encode(regions), sampling, turn or Turn(Owner()), Deadline(60)
    )


def size_of(completion: Completion) -> tuple[int, int]:
    return cv2.imdecode(np.frombuffer(completion.image, np.uint8), cv2.IMREAD_COLOR).shape[:2]


async def test_each_region_gets_its_own_text_in_whatever_order_answers_come():
    done: list[int] = []
    turns = {index: asyncio.Event() for index in range(1, 7)}
    turns[6].set()

    async def answer_backwards(completion: Completion) -> str:
        index = round(grey_in(completion) / 10)
        await turns[index].wait()
        done.append(index)
        if index > 1:
            turns[index - 1].set()
        return f"text {index}"

    async with running_vlm(answer_backwards) as vlm, recognizer_for(vlm) as recognizer:
        read = await read_regions(recognizer, [region(index) for index in range(1, 7)], {})
    assert done == [6, 5, 4, 3, 2, 1]
    assert read == {index: Recognition(f"text {index}", "stop") for index in range(1, 7)}


async def test_no_regions_are_no_calls():
    async with running_vlm("never") as vlm, recognizer_for(vlm) as recognizer:
        assert await read_regions(recognizer, [], {}) == {}
    assert vlm.completions == []


@pytest.mark.parametrize(
    ("pixel_limits", "size", "sent"),
    [
        ("resize", (280, 420), None),  # 117,600 px: the least multiple of 28 that is over the minimum
        ("send", (56, 84), {"min_pixels": MIN_PIXELS, "max_pixels": MAX_PIXELS}),
        ("off", (56, 84), None),
    ],
)
async def test_pixel_limits_are_met_here_or_sent_or_left_alone(pixel_limits, size, sent):
    async with running_vlm("text") as vlm, recognizer_for(vlm, pixel_limits=pixel_limits) as recognizer:
        await read_regions(recognizer, [region(1)], {})
    (completion,) = vlm.completions
    assert size_of(completion) == size
    assert completion.body.get("mm_processor_kwargs") == sent


async def test_a_region_over_the_limit_is_shrunk_below_it():
    async with running_vlm("text") as vlm, recognizer_for(vlm) as recognizer:
        await read_regions(recognizer, [region(1, 2000, 3000)], {})
    height, width = size_of(vlm.completions[0])
    assert MIN_PIXELS <= height * width <= MAX_PIXELS
    assert (height % 28, width % 28) == (0, 0)


@pytest.mark.parametrize("skip", [True, False])
async def test_special_tokens_are_kept_where_the_answer_is_made_of_them(skip):
    async with running_vlm("text") as vlm, recognizer_for(vlm) as recognizer:
        await read_regions(recognizer, [region(1, skip_special_tokens=skip)], {"temperature": 0.5})
    body = vlm.completions[0].body
    assert (body["skip_special_tokens"], body["temperature"], body["model"]) == (skip, 0.5, "m")


async def test_a_region_that_fails_is_a_recognition_that_says_why():
    async def refuse_the_second(completion: Completion):
        return refusal(400, "too many tokens") if grey_in(completion) == 20 else "fine"

    async with running_vlm(refuse_the_second) as vlm, recognizer_for(vlm) as recognizer:
        read = await read_regions(recognizer, [region(index) for index in (1, 2, 3)], {})
    assert [read[index].text for index in (1, 2, 3)] == ["fine", "", "fine"]
    assert read[2].finish_reason == "error"
    assert "too many tokens" in read[2].failure
    assert read[1].failure is None


async def test_a_server_that_is_gone_ends_all_calls_of_the_page():
    async with running_vlm(hang) as vlm, recognizer_for(vlm, limit=2) as recognizer:
        reading = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(1, 6)], {}))
        await vlm.wait_for_completions(2)
        await vlm.stop()
        with pytest.raises(VlmUnavailable):
            await reading
        await vlm.start()
        vlm.reply = say_done
        assert await read_regions(recognizer, [region(1)], {}) == {1: Recognition("done", "stop")}
    assert len(vlm.completions) == 3


async def say_done(completion: Completion) -> str:
    return "done"


async def test_no_more_than_the_limit_are_with_the_server_at_once():
    gate = asyncio.Event()

    async def hold(completion: Completion) -> str:
        await gate.wait()
        return "text"

    async with running_vlm(hold) as vlm, recognizer_for(vlm, limit=3) as recognizer:
        reading = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(10)], {}))
        await vlm.wait_for_completions(3)
        gate.set()
        assert len(await reading) == 10
    assert vlm.most_running == 3


async def test_a_page_of_one_region_does_not_wait_for_all_of_a_book():
    gate = asyncio.Event()

    async def hold(completion: Completion) -> str:
        await gate.wait()
        return "text"

    async with running_vlm(hold) as vlm, recognizer_for(vlm, limit=1) as recognizer:
        book = asyncio.create_task(
            read_regions(recognizer, [region(index) for index in range(9)], {}, Turn(Owner(9), page=3))
        )
        await vlm.wait_for_completions(1)
        letter = asyncio.create_task(read_regions(recognizer, [region(20)], {}))
        for _ in range(5):
            await asyncio.sleep(0)  # the letter takes its place in the line
        gate.set()
        await letter
        assert not book.done()
        await book
    assert 200 in [grey_in(completion) for completion in vlm.completions[:3]]


async def test_suspects_that_wait_for_each_other_hold_no_places_that_others_could_have():
    """After a death they are asked one at a time; regions of another document have the places meanwhile."""
    gate = asyncio.Event()

    async def reply(completion: Completion) -> str:
        if len(vlm.completions) <= 4:
            await vlm.wait_for_completions(4)
            raise HangUp
        await gate.wait()
        return "text"

    async with running_vlm(reply) as vlm, recognizer_for(vlm, limit=4, retries=2) as recognizer:
        suspects = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(1, 5)], {}))
        await vlm.wait_for_completions(5)
        others = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(5, 8)], {}))
        await vlm.wait_for_completions(8)
        assert vlm.most_running == 4
        gate.set()
        read = await asyncio.gather(suspects, others)
        assert [recognition.text for page in read for recognition in page.values()] == ["text"] * 7
        assert recognizer.limiter.held == 0


async def test_suspects_that_are_cancelled_while_they_wait_free_every_place():
    async def reply(completion: Completion) -> str:
        if len(vlm.completions) <= 4:
            await vlm.wait_for_completions(4)
            raise HangUp
        return await hang(completion)

    async with running_vlm(reply) as vlm, recognizer_for(vlm, limit=4, retries=2) as recognizer:
        suspects = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(1, 5)], {}))
        await vlm.wait_for_completions(5)
        others = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(5, 8)], {}))
        await vlm.wait_for_completions(8)
        for page in (suspects, others):
            page.cancel()
        await asyncio.wait((suspects, others))
        assert (recognizer.limiter.held, recognizer.limiter.waiting) == (0, 0)


async def test_a_page_that_is_cancelled_drops_its_calls_and_frees_its_places():
    async with running_vlm(hang) as vlm, recognizer_for(vlm, limit=2) as recognizer:
        reading = asyncio.create_task(read_regions(recognizer, [region(index) for index in range(6)], {}))
        await vlm.wait_for_completions(2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await vlm.wait_until_idle()
        assert [completion.cancelled for completion in vlm.completions] == [True, True]
        vlm.reply = say_done
        assert len(await read_regions(recognizer, [region(1), region(2)], {})) == 2
