"""Several VLM servers: which one a call goes to, and which one is left alone for a while."""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

# An open circuit is tried again after its first period, then after twice as long, up to this.
_LONGEST_OPEN_SECONDS = 30.0

Clock = Callable[[], float]


class Circuit:
    """Whether a server is called at all: closed, open, or half-open.

    Closed, every call goes through. So many faults in a row open it, or one that says that nobody listens: then no
    call goes through for a while. After that one goes, and its end decides: closed again, or open for twice as long.
    (M. Nygard, Release It!, 2007.)
    """

    def __init__(self, failures: int, seconds: float, clock: Clock = time.monotonic) -> None:
        """Open after `failures` in a row, for `seconds` the first time."""
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._failed_in_a_row = 0
        self._failed_at = 0.0
        self._times_opened = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def is_closed(self) -> bool:
        """Whether every call goes through."""
        return self._open_until is None

    @property
    def is_being_tried(self) -> bool:
        """Whether the call that decides is in flight."""
        return self._trying

    @property
    def has_failed_lately(self) -> bool:
        """Whether the last call failed, not long ago."""
        return self._failed_in_a_row > 0 and self._clock() - self._failed_at < self._seconds

    def lets_through(self) -> bool:
        """Whether a call may begin now."""
        return self._open_until is None or (not self._trying and self._clock() >= self._open_until)

    def seconds_until_tried(self) -> float:
        """How long it is until a call goes through; 0 when it does, or one is just deciding."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def begin(self) -> bool:
        """A call begins; true when it is the one that decides."""
        self._trying = self._open_until is not None
        return self._trying

    def succeed(self) -> None:
        """A call was answered."""
        self._failed_in_a_row = self._times_opened = 0
        self._open_until = None
        self._trying = False

    def fail(self, *, is_gone: bool = False) -> None:
        """A call failed by the server's fault; `is_gone` when nobody listens."""
        self._failed_in_a_row += 1
        self._failed_at = self._clock()
        if self._open_until is not None and not self._trying:
            return  # it began before the circuit opened
        if self._trying or is_gone or self._failed_in_a_row >= self._failures:
            # With jitter, so that those who left together do not come back as one.
            seconds = min(_LONGEST_OPEN_SECONDS, self._seconds * 2**self._times_opened)
            self._open_until = self._clock() + seconds * random.uniform(0.8, 1.2)  # noqa: S311
            self._times_opened += 1
            self._trying = False

    def try_soon(self) -> None:
        """It seems to be well again: the call that decides need not wait."""
        if self._open_until is not None:
            self._open_until = min(self._open_until, self._clock())

    def give_up(self) -> None:
        """A call ended without an answer and without a fault: whoever waited for it has left."""
        self._trying = False


@dataclass(slots=True, eq=False)
class CallInFlight:
    """`is_cut` when its timeout was moved because the server hangs."""

    timeout: asyncio.Timeout
    is_cut: bool = False


class Replica:
    """One VLM server, and what we know of it.

    Attributes:
        busy_until: when it wants to be asked again, after it said that it is too busy.
        on_probation: held by the one call in flight whose region may have brought a server down.
        calls: in flight.
        heard_at: when it last sent anything, by the event loop's clock.
    """

    def __init__(self, url: str, circuit: Circuit) -> None:
        self.url = url
        self.circuit = circuit
        self.busy_until = 0.0
        self.on_probation = asyncio.Lock()
        self.calls: set[CallInFlight] = set()
        self.heard_at = 0.0

    @contextmanager
    def counting(self, call: CallInFlight) -> Iterator[None]:
        """Count the call while it is in flight."""
        self.calls.add(call)
        try:
            yield
        finally:
            self.calls.discard(call)


class Replicas:
    """Balances calls by what is in flight.

    Attributes:
        on_change: called when the number of servers that are called has changed.
    """

    def __init__(
        self, urls: Sequence[str], *, failures: int, seconds: float, clock: Clock = time.monotonic
    ) -> None:
        """See `Circuit`."""
        self._clock = clock
        self._replicas = [Replica(url, Circuit(failures, seconds, clock)) for url in urls]
        self._called = len(self._replicas)
        self.on_change: Callable[[int], None] = lambda _: None

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._replicas)

    def pick(self, tried: Collection[Replica]) -> Replica | None:
        """The server for the next attempt: rather one that is not busy, and was not tried; None when all are off."""
        now = self._clock()
        return min(
            (replica for replica in self._replicas if replica.circuit.lets_through()),
            key=lambda each: (
                each.busy_until > now,
                each in tried,
                each.circuit.has_failed_lately,
                len(each.calls),
            ),
            default=None,
        )

    def seconds_until_one_is_tried(self) -> float:
        """How long it is until a server may be tried again; 0 when one is called, or is being tried."""
        return min(replica.circuit.seconds_until_tried() for replica in self._replicas)

    def note(self) -> None:
        """Tell who asked to be told, if the number of servers that are called has changed."""
        called = sum(replica.circuit.is_closed for replica in self._replicas)
        if called != self._called:
            self._called = called
            self.on_change(called)
