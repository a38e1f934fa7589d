"""Counting over real processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.services.slots import Places, SlotFile

ROOT = Path(__file__).parents[3]
TAKER = """
import sys
from pathlib import Path
from gateway.services.slots import Places, SlotFile

places = Places(SlotFile(Path(sys.argv[1])), first_offset=0, count=int(sys.argv[2]))
for line in sys.stdin:
    if line == "take\\n":
        print(places.try_take(), flush=True)
    else:
        places.give_back(int(line))
        print("ok", flush=True)
"""


class Taker:
    """Another process that takes places."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def ask(self, line: str) -> str:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def taker(path: Path, count: int) -> Iterator[Taker]:
    command = [sys.executable, "-c", TAKER, str(path), str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield Taker(process)
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "places"


@pytest.fixture
def file(path: Path) -> Iterator[SlotFile]:
    with SlotFile(path) as file:
        yield file


def test_places_are_counted_over_processes(path, file):
    ours = Places(file, first_offset=0, count=3)
    with taker(path, 3) as first, taker(path, 3) as second:
        taken = {first.ask("take"), second.ask("take"), str(ours.try_take())}
        assert taken == {"0", "1", "2"}
        assert first.ask("take") == second.ask("take") == "None"
        assert ours.try_take() is None
        assert not ours.has_room()


def test_a_place_given_back_is_free_for_others(path, file):
    ours = Places(file, first_offset=0, count=1)
    with taker(path, 1) as other:
        assert other.ask("take") == "0"
        assert ours.try_take() is None
        assert other.ask("0") == "ok"
        assert ours.try_take() == 0
        assert other.ask("take") == "None"


def test_places_of_a_killed_process_are_free_at_once(path, file):
    ours = Places(file, first_offset=0, count=2)
    with taker(path, 2) as other:
        assert other.ask("take") == "0"
        assert other.ask("take") == "1"
        assert ours.taken_elsewhere()
        other.process.kill()
        other.process.wait()
        assert not ours.taken_elsewhere()
        assert ours.try_take() == 0


def test_our_own_places_are_not_taken_twice(file):
    ours = Places(file, first_offset=0, count=2)
    assert [ours.try_take(), ours.try_take(), ours.try_take()] == [0, 1, None]
    assert not ours.taken_elsewhere()
    ours.give_back(0)
    assert ours.has_room()
    assert ours.try_take() == 0


def test_ranges_of_one_file_do_not_touch(file):
    running = Places(file, first_offset=0, count=1)
    waiting = Places(file, first_offset=1, count=1)
    assert running.try_take() == 0
    assert waiting.try_take() == 0


def test_a_range_of_none_has_no_room(file):
    none = Places(file, first_offset=0, count=0)
    assert none.try_take() is None
    assert not none.has_room()
    assert not none.taken_elsewhere()


def test_a_private_file_needs_no_path():
    with SlotFile(None) as file:
        assert Places(file, first_offset=0, count=1).try_take() == 0


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        SlotFile(tmp_path / "link")
