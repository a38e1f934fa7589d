"""What the parts of the benchmark make of their samples."""

import pytest

from benchmarks.measure.clients import Finished
from benchmarks.measure.device import DeviceRecord
from benchmarks.measure.statistics import percentile
from benchmarks.parts.mixed import burst_ends, pdf_burst_ends
from benchmarks.stack.vlm import Snapshot, busy_fraction


def finished(*times: float) -> Finished:
    return Finished(documents=[(at, 1, 1.0) for at in times])


def test_a_burst_is_over_when_nothing_has_followed_it_for_a_while():
    record = finished(10.0, 10.1, 10.3, 30.0, 30.2, 50.0)
    assert burst_ends(record, now=51.0) == [10.3, 30.2]
    assert burst_ends(record, now=60.0) == [10.3, 30.2, 50.0]


def test_bursts_of_single_pages_do_not_bound_what_is_measured():
    documents = [(10.0, 1, 1.0), (20.0, 1, 1.0), (20.2, 100, 9.0), (30.0, 1, 1.0), (40.0, 100, 9.0)]
    assert pdf_burst_ends(Finished(documents=documents), now=60.0) == [20.2, 40.0]


def test_without_answers_there_are_no_bursts():
    assert burst_ends(finished(), now=60.0) == []


def test_pages_between_two_bursts_are_those_of_the_second():
    record = Finished(pages=[10.0, 10.1, 30.0, 30.2, 30.2])
    assert record.pages_between(10.1, 30.2) == 3


def test_the_device_is_read_at_the_snapshots_next_to_the_times_asked_for():
    record = DeviceRecord()
    for second in range(10):
        record.add(Snapshot({"at_seconds": float(second), "work_seconds": second * 0.5, "running": 3}))
    counted = record.between(2.1, 7.9)
    assert counted == {"seconds": 6.0, "work_seconds": 3.0}
    assert busy_fraction(counted) == 0.5


@pytest.mark.parametrize(("percent", "expected"), [(0, 1.0), (50, 3.0), (95, 4.8), (100, 5.0)])
def test_percentiles_are_interpolated(percent, expected):
    assert percentile([5.0, 1.0, 2.0, 4.0, 3.0], percent) == pytest.approx(expected)


def test_the_percentile_of_one_value_is_that_value():
    assert percentile([7.0], 95) == 7.0
