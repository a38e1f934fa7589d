"""A stream of which nothing is heard for too long is given up, and no other."""

import asyncio

import pytest

from gateway.upstreams.silence import WatchedCall


class Stream:
    """A gRPC call as far as it is read."""

    def __init__(self) -> None:
        self.cancelled = False
        self._message = asyncio.get_running_loop().create_future()

    def say(self, message: str) -> None:
        self._message.set_result(message)

    async def read(self) -> str:
        message = await self._message
        self._message = asyncio.get_running_loop().create_future()
        return message

    def cancel(self) -> None:
        self.cancelled = True
        self._message.cancel()


async def test_a_message_that_is_overdue_ends_the_call():
    stream = Stream()
    with WatchedCall(stream, 0.05) as watched, pytest.raises(TimeoutError):
        await watched.read()
    assert stream.cancelled


async def test_messages_in_time_may_take_longer_together():
    stream = Stream()
    with WatchedCall(stream, 1) as watched:
        for number in range(4):
            asyncio.get_running_loop().call_later(0.3, stream.say, str(number))
            assert await watched.read() == str(number)
    assert not stream.cancelled


async def test_time_in_which_nobody_reads_does_not_count():
    stream = Stream()
    with WatchedCall(stream, 0.05) as watched:
        for _ in range(2):
            await asyncio.sleep(0.12)
            stream.say("hello")
            assert await watched.read() == "hello"
    assert not stream.cancelled


async def test_less_patience_counts_at_once():
    stream = Stream()
    with WatchedCall(stream, 3600) as watched:
        stream.say("hello")
        await watched.read()
        watched.seconds = 0.05
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watched.read(), 60)
    assert stream.cancelled


async def test_a_reader_that_is_cancelled_is_cancelled():
    stream = Stream()
    with WatchedCall(stream, 3600) as watched:
        reading = asyncio.create_task(watched.read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert not stream.cancelled


async def test_nothing_is_left_of_a_watch_that_has_ended():
    stream = Stream()
    with WatchedCall(stream, 0.05):
        pass
    await asyncio.sleep(0.1)
    assert not stream.cancelled
