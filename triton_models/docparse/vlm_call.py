"""A region on its way to an answer of a VLM server, and how much is borne on it."""

import time
from dataclasses import dataclass, field

from docparse.repetition import LoopRule
from docparse.scheduling import Hold
from docparse.vlm_answers import ServerFault, ServerGone
from docparse.vlm_replicas import Replica

# Longer than the first time that a circuit is open, so that a server that comes back at once costs nothing; no longer,
# or documents pile up behind one that is gone.
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmPolicy:
    """How patient the client is; see the settings of these names.

    Attributes:
        patience_seconds: how long a call waits for a server to be tried again when none is called.
    """

    timeout_seconds: float
    retries: int
    circuit_failures: int = 5
    circuit_seconds: float = 1.0
    quarantine_strikes: int = 2
    quarantine_seconds: float = 600.0
    patience_seconds: float = _PATIENCE_SECONDS


@dataclass(slots=True)
class Call:
    """One region on its way to an answer.

    Attributes:
        ends_at: of the document's clock, by `time.monotonic`.
        place: among the calls in flight.
        attempts: that failed.
        waited_seconds: for a server that may be called at all.
        has_looked_again: whether servers that were not called were asked on its behalf whether they live by now.
        key: what the region is known by in quarantine; only made when it is needed.
    """

    image: bytes
    prompt: str
    body: bytes
    watch: LoopRule | None
    ends_at: float
    place: Hold
    tried: set[Replica] = field(default_factory=set)
    attempts: int = 0
    waited_seconds: float = 0.0
    has_looked_again: bool = False
    began_at: float = field(default_factory=time.monotonic)
    failure: ServerFault = field(default_factory=lambda: ServerGone("no attempt was made"))
    key: bytes | None = None

    @property
    def seconds_left(self) -> float:
        """Until its document's clock has run out."""
        return self.ends_at - time.monotonic()
