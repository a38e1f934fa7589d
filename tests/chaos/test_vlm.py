"""VLM servers that die, hang, fail or are brought down by what they read."""

import asyncio

from tests.chaos import documents
from tests.chaos.clients import Answer, Crowd, ask, mixed_bodies
from tests.chaos.stack import PLACES, ChaosStack
from tests.chaos.waiting import eventually


async def busy_crowd(stack: ChaosStack) -> Crowd:
    """Documents in flight, which have taken all places at the VLM servers, and are held there."""
    stack.hold_calls()
    crowd = Crowd(stack.url, mixed_bodies())
    await stack.until_calls(PLACES)
    return crowd


def assert_unavailable(answers: list[Answer]) -> None:
    """A region that was alone with the second server when that went too may pass for the cause: its page says so."""
    unavailable = [answer for answer in answers if answer.status == 503]
    assert len(unavailable) >= len(answers) / 2
    assert all("VLM" in answer.message for answer in unavailable)
    for answer in answers:
        if answer.status != 503:
            assert any("went down" in warning["message"] for warning in answer.warnings), answer


async def test_vlms_that_are_killed_are_a_503_until_they_are_back(stack):
    crowd = await busy_crowd(stack)
    for vlm in stack.vlms:
        vlm.kill()
    answers = await crowd.clean_answers()
    assert_unavailable(answers)
    assert "VLM" in stack.missing()
    for vlm in stack.vlms:
        vlm.start()


async def test_vlms_that_are_killed_and_back_at_once_leave_no_request_without_an_answer(stack):
    crowd = await busy_crowd(stack)
    for vlm in stack.vlms:
        vlm.kill()
        vlm.start()
    await crowd.clean_answers()


async def test_of_two_vlms_one_may_die(stack):
    crowd = await busy_crowd(stack)
    dead, sound = stack.vlms
    dead.kill()
    sound.order()
    assert [answer for answer in await crowd.clean_answers() if not answer.is_whole] == []
    assert not stack.missing()
    dead.start()
    await eventually(dead.is_up, "it is up")


async def test_vlms_that_hang_are_a_503_until_one_of_them_goes_on(stack):
    stack.hold_calls()
    crowd = Crowd(stack.url, [documents.one_call() for _ in range(PLACES)])
    await stack.until_calls(PLACES)
    for vlm in stack.vlms:
        vlm.process.suspend()
    answers = await crowd.clean_answers()
    assert_unavailable(answers)
    hanging, well_again = stack.vlms
    well_again.process.resume()
    well_again.order()
    assert [
        answer for answer in await Crowd(stack.url, mixed_bodies()).clean_answers() if not answer.is_whole
    ] == []
    hanging.process.resume()
    hanging.order()


async def test_calls_that_are_never_answered_end_with_the_requests_time(stack):
    """By servers that say that they are well."""
    stack.hold_calls()
    with stack.another_gateway(HPS_INFERENCE_TIMEOUT="4") as gateway:
        await eventually(gateway.is_up, "it is up")
        answers = await Crowd(gateway.url, mixed_bodies()).clean_answers()
    assert {answer.status for answer in answers} == {504}
    await stack.until_calls(0)
    stack.answer_calls()


async def test_vlms_that_answer_500_to_every_third_call_cost_regions_at_most(stack):
    for vlm in stack.vlms:
        vlm.order(fails_every=3)
    answers = await Crowd(stack.url, mixed_bodies()).clean_answers()
    stack.answer_calls()
    assert {answer.status for answer in answers} == {200}
    pages = [page for answer in answers for page in answer.pages]
    warnings = [warning for answer in answers for warning in answer.warnings]
    blocks = [block for page in pages for block in page["prunedResult"]["parsing_res_list"]]
    assert {warning["code"] for warning in warnings} <= {"region_failed"}
    # A region has three attempts.
    assert len(warnings) < len(blocks) / 3


async def test_a_region_that_brings_vlms_down_is_found_out_and_costs_no_neighbour(stack):
    for vlm in stack.vlms:
        vlm.order(dies_at="Seal")
    poison = {**documents.one_call(), "promptLabel": "seal"}
    deaths = 0

    async def restart() -> None:
        nonlocal deaths
        while True:
            for vlm in stack.vlms:
                if not vlm.lives():
                    deaths += 1
                    vlm.start()
                    await eventually(vlm.is_up, "it is up")
                    vlm.order(dies_at="Seal")
            await asyncio.sleep(0.05)

    restarting = asyncio.create_task(restart())
    try:
        neighbours = Crowd(stack.url, mixed_bodies())
        killer = await ask(stack.url, poison)
        assert killer.status in (200, 503)
        assert not killer.is_whole
        await neighbours.clean_answers()
        await eventually(lambda: all(vlm.lives() for vlm in stack.vlms), "they live")
        assert 1 <= deaths <= 2
        # Whoever sends it again brings none down.
        while deaths < 2 and (await ask(stack.url, poison)).status != 200:
            pass
        again = await ask(stack.url, poison)
        assert again.status == 200
        (warning,) = again.warnings
        assert "went down" in warning["message"]
        assert deaths == 2
    finally:
        restarting.cancel()
        await asyncio.wait([restarting])
    stack.answer_calls()
