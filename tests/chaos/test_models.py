"""Processes of Triton's models, and their workers, that die in the middle of their work."""

import psutil

from tests.chaos import documents
from tests.chaos.clients import Crowd, ask, mixed_bodies
from tests.chaos.stack import PLACES
from tests.chaos.tiers import HANG_SECONDS
from tests.chaos.waiting import eventually, until_it_works

# Triton waits for ever for what a dead process had begun: it never asks how it ended, and keeps its shared memory.
REMAINS = {"zombies": 1, "shared_memory": 1}


async def test_the_pipelines_process_that_is_killed_is_a_503_until_it_is_back(stack):
    stack.replaced = {"layout-parsing", "render workers", "others"}
    stack.remains = REMAINS
    stack.hold_calls()
    crowd = Crowd(stack.url, mixed_bodies())
    await stack.until_calls(PLACES)
    (victim,) = stack.triton.stubs("layout-parsing")
    workers = stack.triton.render_workers()
    victim.kill()
    stack.answer_calls()
    while (meanwhile := await ask(stack.url, documents.one_call())).status != 200:
        assert meanwhile.status == 503
    assert {answer.status for answer in await crowd.clean_answers()} == {503}
    _, alive = psutil.wait_procs(workers, timeout=HANG_SECONDS)
    assert not alive


async def test_layout_detection_that_is_killed_over_pages_lays_them_out_when_it_is_back(stack):
    stack.replaced = {"layout-detection"}
    stack.remains = REMAINS
    (victim,) = stack.triton.stubs("layout-detection")
    victim.suspend()  # so that it has pages when it dies
    crowd = Crowd(stack.url, mixed_bodies())
    await eventually(lambda: stack.pages_before_layout() > 0, "pages wait for it")
    victim.kill()
    assert [answer for answer in await crowd.clean_answers() if not answer.is_whole] == []


async def test_render_workers_that_are_killed_over_a_page_are_replaced_and_the_page_is_rendered(stack):
    stack.replaced = {"render workers"}
    slow = Crowd(stack.url, [documents.body(documents.pdf(2, strokes=20_000)) for _ in range(2)])
    others = Crowd(stack.url, mixed_bodies())
    workers = stack.triton.render_workers()
    for worker in workers:
        await until_it_works(worker)
        worker.kill()
    answers = [*await slow.clean_answers(), *await others.clean_answers()]
    assert [answer for answer in answers if not answer.is_whole] == []
    _, alive = psutil.wait_procs(workers, timeout=0)
    assert not alive
