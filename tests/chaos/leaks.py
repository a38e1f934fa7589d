"""What the stack holds while nobody asks for anything."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.chaos.stack import ChaosStack

# With the processes of each.
MODELS = {"layout-parsing": 1, "layout-detection": 1, "restructure-pages": 2}


@dataclass(frozen=True)
class Holdings:
    """Taken twice, these are the same unless something is leaked.

    Attributes:
        processes: of each kind.
        zombies: processes that have ended, and whose parent does not ask how.
        files: names of files, pipes and the like that are open, of each process that keeps the same ones open.
        shared_memory: regions of Triton.
        temporary: files and folders in the folder for temporary files, spooled documents among them.
        clients: connections to the gateway.
        places: of documents at the gateway, running and waiting.
        pages: that the gateway counts as in flight.
        calls: in flight to the VLM servers.
    """

    processes: dict[str, frozenset[psutil.Process]]
    zombies: int
    files: dict[psutil.Process, Counter[str]]
    shared_memory: int
    temporary: int
    clients: int
    places: int
    pages: int
    calls: int

    def differences(self, later: "Holdings", replaced: set[str], remains: Mapping[str, int]) -> list[str]:
        """What is not as it was, in words; so many more of some things are allowed to remain."""
        return [*self._of_processes(later, replaced), *self._of_things(later, remains)]

    def _of_processes(self, later: "Holdings", replaced: set[str]) -> Iterator[str]:
        for kind, processes in self.processes.items():
            now = later.processes[kind]
            if len(now) != len(processes):
                yield f"{len(now)} processes of {kind}, there were {len(processes)}"
            elif kind not in replaced and now != processes:
                yield f"{kind} was replaced"
            elif kind in replaced and now == processes:
                yield f"{kind} was not replaced"

    def _of_things(self, later: "Holdings", remains: Mapping[str, int]) -> Iterator[str]:
        for process, files in self.files.items():
            now = later.files.get(process, Counter())
            if now.total() > files.total():
                more = ", ".join((now - files).elements())
                fewer = ", ".join((files - now).elements())
                yield f"open files of {process}: {more}, where there were {fewer or 'none'}"
        for name in ("zombies", "shared_memory", "temporary", "clients", "places", "pages", "calls"):
            before, now = getattr(self, name), getattr(later, name)
            if now > before + remains.get(name, 0):
                yield f"{name}: {now}, there were {before}"


def take_stock(stack: ChaosStack) -> Holdings:
    processes = census(stack)
    return Holdings(
        processes,
        sum(process.status() == psutil.STATUS_ZOMBIE for process in everything(stack)),
        # Render workers keep the last documents open, and tritonserver looks at folders all the time.
        {
            process: _open_files(process)
            for kind in ("gateway", "gateway workers", *MODELS)
            for process in processes[kind]
        },
        len(list(Path("/dev/shm").glob(f"hps-{stack.triton.process.pid}-*"))),
        len(list(stack.temporary.iterdir())),
        sum(_count_connections(process, stack.gateway.port) for process in stack.gateway.workers()),
        stack.locked_places(),
        stack.pages_in_flight(),
        stack.calls_in_flight(),
    )


def has_settled(stack: ChaosStack) -> bool:
    """Whether each model runs in as many processes as it should: while it is being loaded there is one more."""
    return all(len(stack.triton.stubs(model)) == count for model, count in MODELS.items())


def everything(stack: ChaosStack) -> list[psutil.Process]:
    """Every process below the gateway and Triton's launcher."""
    return [
        child
        for root in (stack.gateway.process, stack.triton.process)
        for child in root.children(recursive=True)
    ]


def census(stack: ChaosStack) -> dict[str, frozenset[psutil.Process]]:
    """The processes of each kind that live."""
    gateway, launcher = stack.gateway.process, stack.triton.process
    kinds = {
        "gateway": [gateway],
        "gateway workers": stack.gateway.workers(),
        "launcher": [launcher],
        "tritonserver": [stack.triton.server()],
        **{model: stack.triton.stubs(model) for model in MODELS},
        "render workers": stack.triton.render_workers(),
    }
    known = {process for processes in kinds.values() for process in processes}
    # Python's own trackers, of the gateway and of the model with workers.
    kinds["others"] = [
        each for each in everything(stack) if each not in known and each.status() != psutil.STATUS_ZOMBIE
    ]
    return {kind: frozenset(processes) for kind, processes in kinds.items()}


def _open_files(process: psutil.Process) -> Counter[str]:
    files: Counter[str] = Counter()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):  # just closed
            files[str(link.readlink())] += 1
    # Memory for pages is kept for other pages: as much as was needed at a time.
    not_counted = ("socket:", "/memfd:hps-page")
    return Counter({name: count for name, count in files.items() if not name.startswith(not_counted)})


def _count_connections(process: psutil.Process, port: int) -> int:
    """Connections of this process from or to the port, those included that only the other side has closed."""
    return sum(
        port in (connection.laddr.port, connection.raddr.port if connection.raddr else 0)
        for connection in process.net_connections("tcp")
        if connection.status != psutil.CONN_LISTEN
    )


def connections_behind(stack: ChaosStack) -> tuple[int, int]:
    """From the gateway to Triton, and from the pipeline to the VLM servers."""
    return (
        sum(_count_connections(worker, stack.triton.port) for worker in stack.gateway.workers()),
        sum(
            _count_connections(stub, vlm.port)
            for stub in stack.triton.stubs("layout-parsing")
            for vlm in stack.vlms
        ),
    )
