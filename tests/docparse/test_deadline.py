"""What is worth beginning, by a clock that the test moves."""

import pytest

from docparse.deadline import Deadline, PageTimes


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def after(*seconds: float) -> PageTimes:
    times = PageTimes()
    for each in seconds:
        times.add(each)
    return times


def test_what_is_left_is_counted_down(clock):
    deadline = Deadline(10, clock)
    clock.now += 4
    assert deadline.seconds_left == pytest.approx(6)
    clock.now += 10
    assert deadline.seconds_left < 0


@pytest.mark.parametrize("seconds", [-1, 0, 0.003, 0.04])
def test_a_document_with_only_a_few_milliseconds_left_is_not_begun(clock, seconds):
    assert not PageTimes().allow(Deadline(seconds, clock))


def test_before_anything_was_measured_every_page_may_begin(clock):
    assert after(*[9.0] * 7).allow(Deadline(1, clock))


def test_a_page_that_cannot_be_done_in_the_time_of_recent_pages_is_not_begun(clock):
    times, deadline = after(*[2.0] * 8), Deadline(3, clock)
    assert times.allow(deadline)
    clock.now += 1.5
    assert not times.allow(deadline)


def test_one_page_of_four_that_is_quick_is_reason_enough_to_try(clock):
    assert after(*[0.1] * 3, *[9.0] * 7).allow(Deadline(1, clock))
    assert not after(*[0.1] * 2, *[9.0] * 8).allow(Deadline(1, clock))


def test_what_was_measured_more_than_a_minute_ago_keeps_nobody_out(clock):
    times = PageTimes(clock)
    for _ in range(32):
        times.add(9.0)
    clock.now += 59
    assert not times.allow(Deadline(1, clock))
    clock.now += 2
    assert times.allow(Deadline(1, clock))


def test_only_the_last_pages_count(clock):
    times = after(*[9.0] * 100, *[0.1] * 32)
    assert times.allow(Deadline(1, clock))
