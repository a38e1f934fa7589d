"""Clients that leave, wherever their documents are: the work stops there, and what it held is free."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.chaos import documents
from tests.chaos.clients import Crowd, ask, asking_by_hand, mixed_bodies
from tests.chaos.leaks import connections_behind
from tests.chaos.stack import PLACES, QUEUE, ChaosStack
from tests.chaos.waiting import eventually, until_it_works

CLIENTS = 4


async def nothing_is_left(stack: ChaosStack) -> None:
    await stack.until_calls(0)
    await eventually(lambda: not stack.spooled, "no document lies on disk")


async def test_while_the_body_is_sent(stack):
    for part in (0, 0.3, 0.99):
        async with asking_by_hand(stack.url, documents.body(documents.pdf(2)), part=part):
            pass
    async with AsyncExitStack() as leaving:
        for _ in range(CLIENTS):
            await leaving.enter_async_context(
                asking_by_hand(stack.url, documents.body(documents.image()), part=0.5)
            )
        # Who sends slowly takes no place from others.
        assert [
            answer for answer in await Crowd(stack.url, mixed_bodies()).answers() if not answer.is_whole
        ] == []
        asked = stack.calls_asked()
    await nothing_is_left(stack)
    assert stack.calls_asked() == asked


async def test_in_the_line_before_the_gateways_places(stack):
    stack.hold_calls()
    crowd = Crowd(stack.url, [documents.one_call() for _ in range(PLACES)])
    await stack.until_calls(PLACES)
    running = stack.locked_places()
    async with AsyncExitStack() as leaving:
        for _ in range(QUEUE):
            await leaving.enter_async_context(asking_by_hand(stack.url, documents.one_call()))
        while await ask_for_a_moment(stack) != 429:
            pass
        full = stack.locked_places()
    await eventually(lambda: stack.locked_places() == running, "nobody stands in line")
    others = Crowd(stack.url, [documents.one_call() for _ in range(QUEUE)])
    await eventually(lambda: stack.locked_places() == full, "others stand where they stood")
    asked = stack.calls_asked()
    stack.answer_calls()
    answers = [*await crowd.answers(), *await others.answers()]
    assert [answer for answer in answers if not answer.is_whole] == []
    assert stack.calls_asked() == asked + QUEUE


async def test_while_a_page_is_rendered(stack):
    asked = stack.calls_asked()
    pages = 3
    workers = stack.triton.render_workers()
    async with AsyncExitStack() as leaving:
        for _ in range(CLIENTS):
            slow = documents.body(documents.pdf(pages, strokes=20_000), useLayoutDetection=False)
            await leaving.enter_async_context(asking_by_hand(stack.url, slow))
        for worker in workers:
            await until_it_works(worker)
    await nothing_is_left(stack)
    assert stack.calls_asked() - asked < CLIENTS * pages


async def test_while_a_page_is_laid_out(stack):
    asked = stack.calls_asked()
    (detector,) = stack.triton.stubs("layout-detection")
    detector.suspend()
    try:
        async with AsyncExitStack() as leaving:
            for _ in range(CLIENTS):
                book = documents.body(documents.pdf(6))
                await leaving.enter_async_context(asking_by_hand(stack.url, book))
            await eventually(lambda: stack.pages_before_layout() > 0, "pages wait for it")
        await nothing_is_left(stack)
    finally:
        detector.resume()
    assert stack.calls_asked() == asked


@pytest.mark.parametrize("slams", [False, True], ids=["closing", "resetting"])
async def test_while_regions_are_read(stack, slams):
    stack.hold_calls()
    asked, left = stack.calls_asked(), stack.calls_left()
    async with AsyncExitStack() as leaving:
        for body in mixed_bodies():
            client = await leaving.enter_async_context(asking_by_hand(stack.url, body))
            if slams:
                leaving.callback(client.slam)
        await stack.until_calls(PLACES)
    await nothing_is_left(stack)
    assert stack.calls_left() - left == stack.calls_asked() - asked
    stack.answer_calls()


async def test_between_the_pages_of_an_answer(stack):
    stack.hold_calls(after=40)  # of some two hundred calls
    async with AsyncExitStack() as leaving:
        clients = [
            await leaving.enter_async_context(asking_by_hand(stack.url, documents.body(documents.pdf(4))))
            for _ in range(CLIENTS)
        ]
        reading = [asyncio.create_task(client.until(b'"type":"page"')) for client in clients]
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        await stack.until_calls(PLACES)
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)
    await nothing_is_left(stack)
    stack.answer_calls()


async def test_at_the_very_end_of_an_answer(stack):
    """Before, in and behind the last line: whatever of it was on its way."""
    async with AsyncExitStack() as leaving:
        for text in (b'"type":"page"', b'"result"', b'"type":"summary"', b"Success", b"\r\n0\r\n") * 2:
            client = await leaving.enter_async_context(
                asking_by_hand(stack.url, documents.body(documents.image()))
            )
            await client.until(text)
            leaving.callback(client.slam)
    await nothing_is_left(stack)


async def test_no_connection_outlives_them_for_long(stack):
    stack.hold_calls()
    async with AsyncExitStack() as leaving:
        for body in mixed_bodies():
            await leaving.enter_async_context(asking_by_hand(stack.url, body))
        await stack.until_calls(PLACES)
    stack.answer_calls()
    # Each worker of the gateway keeps one to Triton; idle ones to the VLM servers are closed after some seconds.
    workers = len(stack.gateway.workers())
    await eventually(
        lambda: connections_behind(stack)[0] <= workers and not connections_behind(stack)[1],
        lambda: f"they are closed: {connections_behind(stack)}",
    )


async def ask_for_a_moment(stack: ChaosStack) -> int:
    """The status of a request; 0 when there was none soon, and the client left."""
    try:
        async with asyncio.timeout(1.5):
            return (await ask(stack.url, documents.one_call())).status
    except TimeoutError:
        return 0
