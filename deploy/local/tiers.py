"""Several processes run as one, by honcho: prefixed logs, ended together, the first to die named."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

import honcho.manager
import honcho.process
from honcho.printer import Printer

# From the first SIGTERM to SIGKILL. The gateway drains for 3 s, then Triton unloads for 3 s; the rest is for a
# busy machine. All of it stays within the 15 s promised.
honcho.manager.KILL_WAIT = 12

_SIGNAL_CODES = tuple(entry["rc"] for entry in honcho.manager.SIGNALS.values())


class _TierSignals(honcho.manager.ProcessManager):  # type: ignore[misc]  # honcho has no types
    """Ends a tier by its own process; honcho's signals to the group would reach Triton's stubs.

    A stub that gets SIGTERM itself dies without a word, and the server waits for it until its time is up.
    """

    def terminate(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class _TierPopen(honcho.process.Popen):  # type: ignore[misc]  # honcho has no types
    """A tier's process, in a group of its own; what is left of the group when the tier ends is killed.

    Triton's stubs outlive a server that was killed, and would hold the pipe from which honcho learns of it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        threading.Thread(target=self._sweep, daemon=True).start()

    def _sweep(self) -> None:
        self.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class _Tier(honcho.process.Process):  # type: ignore[misc]
    """honcho's wrapper of a process, around ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = _TierPopen


class Stack(honcho.manager.Manager):
    """Runs the tiers; the first one that ends takes the others down.

    Attributes:
        first_to_stop: name and exit code of the tier that ended before it was told to, if one did.
    """

    def __init__(self) -> None:
        super().__init__(Printer(sys.stdout, colour=sys.stdout.isatty()))
        self.first_to_stop: tuple[str, int] | None = None
        self._asked_to_stop = False
        self._others_wait = False
        self._procmgr = _TierSignals()
        self._process_ctor = _Tier

    @property
    def _front(self) -> str:
        return list(self._processes)[-1]

    def terminate(self) -> None:
        """End every tier; called by honcho when one has ended or a signal came."""
        self._asked_to_stop = True
        if not self._all_started():
            return  # honcho does not know every process id yet; its loop comes back through `_any_stopped`
        if self.first_to_stop is None and self.returncode not in (None, *_SIGNAL_CODES):
            self.first_to_stop = next(
                (
                    (name, tier["returncode"])
                    for name, tier in self._processes.items()
                    if "returncode" in tier
                ),
                None,
            )
        super().terminate()

    def _killall(self, force: bool = False) -> None:  # noqa: FBT001, FBT002  honcho's signature
        """Signal every tier, the last one added before the others: it drains while they still answer."""
        if not force and "returncode" not in self._processes[self._front]:
            self._others_wait = True
            self._system_print(f"sending SIGTERM to {self._front}\n")
            self._procmgr.terminate(self._processes[self._front]["pid"])
            return
        self._others_wait = False
        super()._killall(force)

    def _all_stopped(self) -> bool:
        # honcho asks this in every turn of its loop.
        if self._others_wait and "returncode" in self._processes[self._front]:
            self._killall()
        return bool(super()._all_stopped())

    def _any_stopped(self) -> bool:
        # Starts the clock that ends in SIGKILL. honcho's own starts only when some tier has stopped.
        return self._asked_to_stop or super()._any_stopped()
