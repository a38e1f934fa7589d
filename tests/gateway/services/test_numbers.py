"""Numbers over real processes, and over made histories of processes that come and die."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.services.numbers import LANE_BYTES, MOST_LANES, SharedNumber
from gateway.services.slots import Places, SlotFile

ROOT = Path(__file__).parents[3]
TELLER = """
import sys
from pathlib import Path
from gateway.services.numbers import SharedNumber
from gateway.services.slots import SlotFile

number = SharedNumber(SlotFile(Path(sys.argv[1])), kind=0)
for line in sys.stdin:
    number.set(int(line))
    print(number.sum(), flush=True)
"""


@contextmanager
def teller(path: Path) -> Iterator[subprocess.Popen]:
    """Another process with a number; `tell` sets it and gives the sum that it sees."""
    command = [sys.executable, "-c", TELLER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen, number: int) -> int:
    process.stdin.write(f"{number}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_all_processes_see_the_same_sum(tmp_path):
    with (
        SlotFile(tmp_path / "file") as file,
        teller(tmp_path / "file") as one,
        teller(tmp_path / "file") as two,
    ):
        ours = SharedNumber(file, kind=0)
        ours.set(7)
        assert tell(one, 100) == 107
        assert tell(two, 20) == ours.sum() == 127
        assert tell(one, 3) == ours.sum() == 30
        assert tell(two, 0) == ours.sum() == 10


def test_the_number_of_a_killed_process_is_gone_at_once(tmp_path):
    with SlotFile(tmp_path / "file") as file, teller(tmp_path / "file") as other:
        ours = SharedNumber(file, kind=0)
        ours.set(1)
        assert tell(other, 1000) == ours.sum() == 1001
        other.kill()
        other.wait()
        assert ours.sum() == 1


def test_numbers_do_not_touch_places_or_one_another(tmp_path):
    with SlotFile(tmp_path / "file") as file, SlotFile(tmp_path / "file") as elsewhere:
        first, second = SharedNumber(file, kind=0), SharedNumber(file, kind=1)
        first.set(LANE_BYTES - 1)
        second.set(5)
        assert (first.sum(), second.sum()) == (LANE_BYTES - 1, 5)
        assert not Places(elsewhere, first_offset=0, count=1 << 30).taken_elsewhere()
        assert SharedNumber(elsewhere, kind=1).sum() == 5


def test_more_processes_than_lanes_are_told_so(tmp_path):
    with ExitStack() as stack:
        for _ in range(MOST_LANES):
            SharedNumber(stack.enter_context(SlotFile(tmp_path / "file")), kind=0)
        file = stack.enter_context(SlotFile(tmp_path / "file"))
        with pytest.raises(RuntimeError, match="1024"):
            SharedNumber(file, kind=0)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5000)), max_size=60))
def test_whatever_happens_the_sum_is_that_of_the_living(tmp_path_factory, history):
    """Of each step: which worker, and its new number, or None: it dies."""
    path = tmp_path_factory.mktemp("numbers") / "file"
    with ExitStack() as stack:
        alive: dict[int, tuple[SlotFile, SharedNumber]] = {}
        for worker, number in history:
            if number is None:
                file, _ = alive.pop(worker, (None, None))
                if file is not None:
                    file.close()
                continue
            if worker not in alive:
                file = SlotFile(path)
                alive[worker] = (file, SharedNumber(file, kind=0))
            alive[worker][1].set(number)
            expected = sum(each.mine for _, each in alive.values())
            assert {each.sum() for _, each in alive.values()} == {expected}
        for file, _ in alive.values():
            stack.callback(file.close)
