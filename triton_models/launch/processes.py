"""Processes below the launcher: Triton, the stubs in which its models run, and what they leave behind. Linux only."""

import ctypes
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from launch.server import STUB

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux has it


@dataclass(frozen=True, slots=True)
class Stub:
    """A process in which one instance of a model runs."""

    pid: int
    model: str


def find_stubs(parent: int) -> list[Stub]:
    """The stubs that live, of the tritonserver `parent`."""
    stubs = []
    for pid in _children(parent):
        with suppress(OSError):  # it has just ended
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            # The program, then the path of its model: .../models/<name>/1/model.py
            if len(words) > 1 and words[0].endswith(STUB.encode()):
                stubs.append(Stub(pid, Path(os.fsdecode(words[1])).parents[1].name))
    return stubs


def adopt_orphans() -> None:
    """Become the parent of whatever loses its own below this process, so that it can be found and ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """End this process when its parent does, by SIGTERM. For the child, between fork and exec."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end_process(pid: int) -> None:
    """Kill it, if it still lives."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def reap_orphans(except_pid: int) -> None:
    """Take note of adopted children that have ended; they stay as zombies otherwise."""
    for pid in _children(os.getpid(), zombies=True):
        if pid != except_pid:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def kill_children() -> None:
    """End every child, adopted ones included, and wait for it."""
    for pid in _children(os.getpid(), zombies=True):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def remove_shared_memory(prefix: str) -> None:
    """Remove the regions of a Triton that has ended; one that was killed, or whose stub was, leaves them."""
    for region in _SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)


class Deaths:
    """Wakes when a process that is watched ends."""

    def __init__(self) -> None:
        self._watched: dict[int, int] = {}
        self._poll = select.poll()

    def watch(self, pids: set[int]) -> None:
        """From now on watch these, and no others."""
        for pid in set(self._watched) - pids:
            self._drop(pid)
        for pid in pids - set(self._watched):
            with suppress(ProcessLookupError):
                self._watched[pid] = os.pidfd_open(pid)
                self._poll.register(self._watched[pid], select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when one has ended, or after so many seconds."""
        ended = {file for file, _ in self._poll.poll(seconds * 1000)}
        for pid in [pid for pid, file in self._watched.items() if file in ended]:
            self._drop(pid)

    def close(self) -> None:
        """Watch none any more."""
        self.watch(set())

    def _drop(self, pid: int) -> None:
        file = self._watched.pop(pid)
        self._poll.unregister(file)
        os.close(file)


def _children(parent: int, *, zombies: bool = False) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # After the name, which is in parentheses and may hold anything: state, parent, ...
                state, its_parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(its_parent) == parent and (zombies or state != "Z"):
                    yield int(folder.name)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
