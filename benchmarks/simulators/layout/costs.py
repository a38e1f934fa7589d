"""How long the simulated layout detector takes."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayoutCosts:
    """A batch takes `batch_seconds`, and `page_seconds` more for each of its pages; pages of a batch need no CPU.

    PaddleX's documentation gives 53 ms a page for the network in PP-DocLayoutV2 (PP-DocLayout_plus-L) on a GPU as
    delivered, and 17 ms with its high-performance plugin; these are the latter for a batch of one, and 11 ms a page
    for a batch of eight.
    """

    batch_seconds: float = 0.007
    page_seconds: float = 0.010

    def batch(self, pages: int) -> float:
        """Seconds of one batch."""
        return self.batch_seconds + pages * self.page_seconds


class DetectorClock:
    """One device: batches take their time one after another, by sleeping, which frees the interpreter."""

    def __init__(self, costs: LayoutCosts) -> None:
        self._costs = costs

    def spend(self, pages: int) -> None:
        """Take as long as a batch of so many pages would."""
        time.sleep(self._costs.batch(pages))
