"""Continuous batching against the clock: sequences in steps, one token each, and who waits takes what is free."""

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass

from benchmarks.simulators.vlm.costs import VlmCosts


class Sequence:
    """One request on its way through the engine.

    Attributes:
        visual_tokens: of its picture.
        tokens: that it will have in the end.
        made: tokens so far.
        ended: done, or aborted.
    """

    __slots__ = ("_news", "_told", "ended", "made", "tokens", "visual_tokens")

    def __init__(self, visual_tokens: int, tokens: int) -> None:
        self.visual_tokens = visual_tokens
        self.tokens = tokens
        self.made = 0
        self.ended = False
        self._told = 0
        self._news = asyncio.Event()

    async def progress(self, every: int) -> int:
        """Tokens made, once there are `every` more than the last time or all."""
        while not self.ended and self.made - self._told < every:
            self._news.clear()
            await self._news.wait()
        self._told = self.made
        return self.made

    def tell(self, every: int) -> None:
        """Wake who waits for progress, when there is enough of it."""
        if self.ended or self.made - self._told >= every:
            self._news.set()


@dataclass(slots=True)
class Counters:
    """What the engine did since it started; seconds are of the device.

    Attributes:
        work_seconds: what the tokens made would have taken in a full batch; over the time that passed, it is the
            fraction of the device's limit that was reached.
        busy_seconds: time in steps, however full.
        sequence_seconds: sequences in flight, integrated over time.
        late_seconds: by how much steps ended after their time, which is the host's fault; summed.
        latest_seconds: the largest of these.
    """

    requests: int = 0
    finished: int = 0
    aborted: int = 0
    visual_tokens: int = 0
    tokens: int = 0
    wasted_tokens: int = 0
    steps: int = 0
    work_seconds: float = 0.0
    busy_seconds: float = 0.0
    sequence_seconds: float = 0.0
    late_seconds: float = 0.0
    latest_seconds: float = 0.0


class Engine:
    """Runs sequences; `run` is its loop."""

    def __init__(self, costs: VlmCosts) -> None:
        self.costs = costs
        self.counters = Counters()
        self._running: dict[Sequence, None] = {}
        self._waiting: deque[Sequence] = deque()
        self._arrival = asyncio.Event()

    @property
    def running(self) -> int:
        """Sequences in the batch."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Sequences behind it."""
        return len(self._waiting)

    def add(self, visual_tokens: int, tokens: int) -> Sequence:
        """Queue a request; to be called in the event loop of `run`."""
        sequence = Sequence(visual_tokens, max(1, tokens))
        self.counters.requests += 1
        self._waiting.append(sequence)
        self._arrival.set()
        return sequence

    def abort(self, sequence: Sequence) -> None:
        """Take out a request that nobody waits for; what it has made was made in vain. Harmless after its end."""
        if sequence.ended:
            return
        sequence.ended = True
        self.counters.aborted += 1
        self.counters.wasted_tokens += sequence.made
        if sequence in self._running:
            del self._running[sequence]
        else:
            self._waiting.remove(sequence)

    def snapshot(self) -> dict[str, float]:
        """Counters with the clock that they belong to."""
        return {
            "at_seconds": time.monotonic(),
            "running": self.running,
            "waiting": self.waiting,
            **asdict(self.counters),
        }

    async def run(self) -> None:
        """Step for ever. Steps end at set times, so a late wake-up of one does not slow the next."""
        ends = time.monotonic()
        while True:
            if not self._running and not self._waiting:
                self._arrival.clear()
                await self._arrival.wait()
                ends = time.monotonic()
            seconds, work = self._begin_step()
            ends += seconds
            await asyncio.sleep(max(0.0, ends - time.monotonic()))
            self._end_step(seconds, work, late=time.monotonic() - ends)

    def _begin_step(self) -> tuple[float, float]:
        """Take in what fits; returns what the step takes, and how much of it the visual tokens do."""
        costs, room = self.costs, self.costs.prefill_tokens
        taken = 0
        while self._waiting and len(self._running) < costs.sequences:
            if taken and taken + self._waiting[0].visual_tokens > room:
                break
            sequence = self._waiting.popleft()
            self._running[sequence] = None
            taken += sequence.visual_tokens
        self.counters.visual_tokens += taken
        prefill = taken * costs.visual_token_seconds
        return costs.step_seconds + costs.sequence_seconds * len(self._running) + prefill, prefill

    def _end_step(self, seconds: float, prefill: float, late: float) -> None:
        counters, every = self.counters, self.costs.stream_interval
        made = len(self._running)  # less those aborted meanwhile
        for sequence in list(self._running):
            sequence.made += 1
            if sequence.made == sequence.tokens:
                sequence.ended = True
                counters.finished += 1
                del self._running[sequence]
            sequence.tell(every)
        counters.steps += 1
        counters.tokens += made
        counters.work_seconds += prefill + made * self.costs.token_seconds
        counters.busy_seconds += seconds
        counters.sequence_seconds += made * seconds
        counters.late_seconds += max(0.0, late)
        counters.latest_seconds = max(counters.latest_seconds, late)
