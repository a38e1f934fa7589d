"""CPU time and memory of processes, from the kernel's books."""

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.2


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory of a process now; 0 when it is gone."""
    return _status(pid, "VmRSS")


def peak_resident_bytes(pid: int) -> int:
    """The most memory that a process had since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Begin `peak_resident_bytes` anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


class MemoryRecord:
    """Resident memory of groups of processes, sampled five times a second while entered.

    A page that processes share is counted in each of them.
    """

    def __init__(self, roles: Mapping[str, Iterable[psutil.Process]]) -> None:
        self._pids = {role: [process.pid for process in processes] for role, processes in roles.items()}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.samples: dict[str, list[int]] = {role: [] for role in self._pids}

    def __enter__(self) -> "MemoryRecord":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def peak_bytes(self) -> int:
        """The largest sum over all groups at one time."""
        return max(map(sum, zip(*self.samples.values(), strict=True)))

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            for role, pids in self._pids.items():
                self.samples[role].append(sum(map(resident_bytes, pids)))


class MachineLoad:
    """How much of the machine others used, from `begin` to `describe`: the noise in a measurement."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._busy, self._all = _machine_ticks()
        self._own = cpu_seconds(self._pids)

    def foreign_cores(self) -> float:
        """Cores that were busy with what is not ours, on average."""
        busy, everything = _machine_ticks()
        own = (cpu_seconds(self._pids) - self._own) * _TICKS
        cores = os.cpu_count() or 1
        share = (busy - self._busy - own) / max(1, everything - self._all)
        return round(max(0.0, share * cores), 2)


def _machine_ticks() -> tuple[int, int]:
    """Ticks that some core was busy, and all of them."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)
