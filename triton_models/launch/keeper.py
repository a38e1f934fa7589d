"""Keeps Triton's models alive: a model whose process has died is taken out and put back.

Triton itself (24.10 and others) never starts a stub again. It goes on calling the model ready, answers `INTERNAL` to
new requests, and never ends the streams that a decoupled model had open. So the folder of the model is moved out of
the repository, at which Triton, which looks at it every second, unloads what is left of it and says so to who asks
whether it is ready; and moved back, at which it is loaded anew. Requests in sound processes of the same model run on
to their ends meanwhile. Nobody can ask for this over the network, as with Triton's model control.
"""

import subprocess
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch.processes import Deaths, end_process, find_stubs, reap_orphans

# How often it is looked whether all processes are there; a death is noticed at once.
_LOOK_SECONDS = 1.0
_WAIT_SECONDS = 0.1

# Triton looks at the repository every second; a model that is unloaded need not have ended.
_UNLOAD_SECONDS = 30.0
# A model on a GPU takes some ten seconds; an engine may be built first. Triton tries again by itself every second.
_LOAD_SECONDS = 300.0

# A model that keeps dying is put back after longer and longer pauses, counting what happened lately.
_LATELY_SECONDS = 600.0
_LONGEST_PAUSE_SECONDS = 30.0

_ASK_SECONDS = 5.0
# Triton stands beside us; a proxy of the environment, which Docker hands to containers, is for the world outside.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class _Kept:
    """A model and its processes.

    Attributes:
        processes: that it should have.
        retired: processes that Triton has unloaded, but that still answer what they had begun; and since when.
        deaths: when it was put back, lately.
    """

    processes: int
    was_ready: bool = False
    retired: dict[int, float] = field(default_factory=dict)
    deaths: deque[float] = field(default_factory=deque)

    def pause_seconds(self) -> float:
        """Before it is put back: none the first time, then longer each time."""
        while self.deaths and time.monotonic() - self.deaths[0] > _LATELY_SECONDS:
            self.deaths.popleft()
        return min(_LONGEST_PAUSE_SECONDS, 2.0 ** len(self.deaths) - 1)


class Keeper:
    """Watches over one Triton until it ends.

    Attributes:
        stopping: set when Triton was told to end, and its models need not live any more.
    """

    def __init__(
        self,
        server: "subprocess.Popen[bytes]",
        url: str,
        repository: Path,
        processes: Mapping[str, int],
        *,
        retired_seconds: float,
    ) -> None:
        """`processes` of each model; those that are retired are ended after `retired_seconds` at the latest."""
        self._server = server
        self._url = url
        self._repository = repository
        self._aside = repository.parent / "aside"
        self._models = {name: _Kept(count) for name, count in processes.items()}
        self._retired_seconds = retired_seconds
        self._deaths = Deaths()
        self.stopping = False

    def run(self) -> bool:
        """Return when Triton has ended; false when it should be ended, for a model could not be brought back."""
        self._aside.mkdir(exist_ok=True)
        try:
            while self._server.poll() is None:
                if not self.stopping and not self._look():
                    return False
                self._deaths.wait(_LOOK_SECONDS)
            return True
        finally:
            self._deaths.close()

    def _look(self) -> bool:
        """Put back what has died; false when that was in vain."""
        reap_orphans(self._server.pid)
        for name, model in self._models.items():
            model.was_ready = model.was_ready or self._is_ready(name)
        alive = self._alive()
        self._deaths.watch({self._server.pid, *(pid for pids in alive.values() for pid in pids)})
        for name, model in self._models.items():
            self._end_retired(model, alive[name])
            lacks_one = model.was_ready and len(alive[name] - set(model.retired)) < model.processes
            if lacks_one and not self._put_back(name, model):
                return False
        return True

    def _alive(self) -> dict[str, set[int]]:
        alive: dict[str, set[int]] = {name: set() for name in self._models}
        for stub in find_stubs(self._server.pid):
            alive.setdefault(stub.model, set()).add(stub.pid)
        return alive

    def _end_retired(self, model: _Kept, alive: set[int]) -> None:
        for pid, since in list(model.retired.items()):
            if pid not in alive:
                del model.retired[pid]
            elif time.monotonic() - since > self._retired_seconds:
                # Triton waits for what the dead process had begun, and would keep this one for ever.
                end_process(pid)

    def _put_back(self, name: str, model: _Kept) -> bool:
        if not self._wait(lambda: False, model.pause_seconds()):
            return True
        _say(f"a process of {name} has died; it is loaded anew")
        began = time.monotonic()
        model.deaths.append(began)
        model.retired.update(dict.fromkeys(self._alive()[name], began))
        (self._repository / name).rename(self._aside / name)
        try:
            self._wait(lambda: not self._is_ready(name), _UNLOAD_SECONDS)
        finally:
            (self._aside / name).rename(self._repository / name)
        self._wait(lambda: self._is_ready(name), _LOAD_SECONDS)
        if self._is_over() or self._is_ready(name):
            _say(f"{name} is ready again after {time.monotonic() - began:.1f} s")
            return True
        _say(f"{name} did not become ready in {_LOAD_SECONDS:.0f} s; Triton is ended")
        return False

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Until the condition holds or the time is up; false when Triton ends meanwhile, or is told to."""
        until = time.monotonic() + seconds
        while not self._is_over():
            if condition() or time.monotonic() >= until:
                return True
            time.sleep(_WAIT_SECONDS)
        return False

    def _is_over(self) -> bool:
        return self.stopping or self._server.poll() is not None

    def _is_ready(self, name: str) -> bool:
        try:
            with _DIRECTLY.open(f"{self._url}/v2/models/{name}/ready", timeout=_ASK_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError:  # not ready is an HTTP error, and that is one too
            return False


def _say(sentence: str) -> None:
    print(f"launch: {sentence}", flush=True)
