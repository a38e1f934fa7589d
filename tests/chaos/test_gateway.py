"""Workers of the gateway that are killed, and a gateway that is told to end, with requests in flight."""

import psutil

from tests.chaos.clients import Crowd, mixed_bodies
from tests.chaos.documents import one_call
from tests.chaos.stack import PLACES, ChaosStack
from tests.chaos.tiers import HANG_SECONDS
from tests.chaos.waiting import eventually


async def test_a_worker_that_is_killed_costs_its_own_requests_and_none_of_the_places(stack):
    stack.replaced = {"gateway workers"}
    stack.hold_calls()
    crowd = Crowd(stack.url, [one_call() for _ in range(PLACES)])
    await stack.until_calls(PLACES)
    theirs, victim = max(
        ((clients_of(worker, stack), worker) for worker in stack.gateway.workers()), key=lambda each: each[0]
    )
    victim.kill()
    # What it had begun is given up down to the VLM servers, though nobody could tell them.
    await stack.until_calls(PLACES - theirs)
    stack.answer_calls()
    answers = await crowd.answers()
    assert sorted(answer.status for answer in answers) == [0] * theirs + [200] * (PLACES - theirs)
    await eventually(lambda: len(stack.gateway.workers()) == 2, "another worker has taken its place")


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def clients_of(worker: psutil.Process, stack: ChaosStack) -> int:
    return sum(
        connection.laddr.port == stack.gateway.port and connection.status == psutil.CONN_ESTABLISHED
        for connection in worker.net_connections("tcp")
    )


async def test_a_gateway_that_is_told_to_end_answers_what_it_has_begun(stack):
    with stack.another_gateway(HPS_SHUTDOWN_GRACE_SECONDS=str(HANG_SECONDS)) as gateway:
        await eventually(gateway.is_ready, "it is ready")
        stack.hold_calls()
        crowd = Crowd(gateway.url, [one_call() for _ in range(PLACES)])
        await stack.until_calls(PLACES)
        below = gateway.process.children(recursive=True)
        gateway.terminate()
        await eventually(lambda: not gateway.is_ready(), "it says so, or listens no more")
        stack.answer_calls()
        assert [answer for answer in await crowd.answers() if not answer.is_whole] == []
        assert gateway.wait() == 0
    await eventually(lambda: not any(map(lives, below)), "its workers are gone")


async def test_a_gateway_that_is_told_to_end_says_so_to_those_whom_it_cannot_answer_in_time(stack):
    stack.replaced = {"gateway", "gateway workers", "others"}
    stack.hold_calls()
    crowd = Crowd(stack.url, mixed_bodies())
    await stack.until_calls(PLACES)
    stack.gateway.terminate()
    answers = await crowd.clean_answers()
    assert {answer.status for answer in answers} == {503}
    assert all("shutting down" in answer.message for answer in answers)
    assert stack.gateway.wait() == 0
    await stack.until_calls(0)
    stack.answer_calls()
    stack.gateway.start()
