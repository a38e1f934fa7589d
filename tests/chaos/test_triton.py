"""A Triton that dies, ends or is not there yet, as a container's does: the gateway lives on without it."""

import signal

from tests.chaos.clients import Crowd, ask, mixed_bodies
from tests.chaos.documents import body, one_call
from tests.chaos.stack import PLACES
from tests.chaos.waiting import eventually

TRITONS = {"launcher", "tritonserver", "layout-parsing", "layout-detection", "restructure-pages"}
TRITONS |= {"render workers", "others"}


async def test_a_triton_that_is_killed_is_a_503_until_it_is_back(stack):
    stack.replaced = TRITONS
    stack.hold_calls()
    crowd = Crowd(stack.url, mixed_bodies())
    await stack.until_calls(PLACES)
    below = stack.triton.process.children(recursive=True)
    stack.triton.server().kill()
    answers = await crowd.clean_answers()
    assert {answer.status for answer in answers} == {503}
    assert stack.triton.wait() == -signal.SIGKILL
    assert not [process for process in below if process.is_running()]
    await stack.until_calls(0)
    assert "Triton" in stack.missing()
    for answer in await Crowd(stack.url, mixed_bodies()).clean_answers():
        assert answer.status == 503
        assert "Triton" in answer.message
    stack.answer_calls()
    stack.triton.start()


async def test_a_triton_that_is_told_to_end_answers_what_it_has_begun(stack):
    stack.replaced = TRITONS
    # It waits for nothing that has ended, however it ended.
    for answer in await Crowd(stack.url, [body(b"%PDF-1.7 and no more") for _ in range(PLACES)]).answers():
        assert answer.status == 422
    stack.hold_calls()
    crowd = Crowd(stack.url, [one_call() for _ in range(PLACES)])
    await stack.until_calls(PLACES)
    stack.triton.terminate()
    await eventually(stack.missing, "it is noticed")
    stack.answer_calls()
    assert [answer for answer in await crowd.clean_answers() if not answer.is_whole] == []
    assert stack.triton.wait() == 0
    stack.triton.start()


async def test_whatever_is_started_first_waits_for_the_others(stack):
    """The gateway, then Triton, then the VLM servers: the order in which each lacks something."""
    stack.replaced = {*TRITONS, "gateway", "gateway workers"}
    stack.end()
    assert not list(stack.temporary.iterdir())

    stack.gateway.start()
    await eventually(stack.gateway.is_up, "the gateway is up")
    assert "Triton" in stack.missing()
    answer = await ask(stack.url, one_call())
    assert (answer.status, "Triton" in answer.message) == (503, True)

    stack.triton.start()
    await eventually(lambda: stack.missing().startswith("Not ready: no VLM"), stack.missing)
    answer = await ask(stack.url, one_call())
    assert (answer.status, "VLM" in answer.message) == (503, True)

    for vlm in stack.vlms:
        vlm.start()
    await stack.until_ready()
    for answer in await Crowd(stack.url, mixed_bodies()).answers():
        assert answer.is_whole
