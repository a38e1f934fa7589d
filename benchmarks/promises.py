"""What the project promises of its flow and speed, and the check of what was measured against it.

Only ratios are compared, and counts that ought to be nothing; never seconds.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the table.

    Attributes:
        key: name of what is measured.
        what: in words.
        kind: whether the value must be at least or at most the bound; `shown` compares nothing.
        bound: for the value.
    """

    key: str
    what: str
    kind: Literal["least", "most", "shown"]
    bound: float

    def is_kept_by(self, value: float) -> bool:
        """Whether a measured value is on the right side of the bound."""
        return value >= self.bound if self.kind == "least" else value <= self.bound


PROMISES = (
    Promise("busy", "VLM kept busy, 16 documents in flight, mixed load: part of its limit", "least", 0.95),
    Promise("throughput", "pages per second, the same load, against the baseline", "least", 2.0),
    Promise(
        "single_pages", "pages per second, 16 single pages in flight, against the baseline", "shown", 2.0
    ),
    Promise("beside", "a page beside three 100-page PDFs: p95 against its p95 alone", "most", 2.0),
    Promise("first_page", "first page of a 300-page PDF, streamed, against a page alone", "most", 2.0),
    Promise("gateway_cpu_1mb", "gateway CPU of a request of 1 MB, against the baseline's", "most", 1 / 3),
    Promise("gateway_cpu_10mb", "gateway CPU of a request of 10 MB, against the baseline's", "most", 1 / 3),
    Promise("gateway_latency", "a page of 1 MB through the gateway, against asking Triton", "most", 1.3),
    Promise(
        "gateway_added_ms", "milliseconds that the gateway adds to 1 MB (wanted: 10 at most)", "shown", 10.0
    ),
    Promise("memory", "peak memory of the whole pipeline, 1,000 pages against 20", "most", 1.2),
    Promise("gateway_memory", "gateway memory per body byte, 16 bodies of 20 MB in flight", "most", 3.0),
    Promise("departed_tokens", "tokens for documents whose client left, after 1 s", "most", 0.0),
    Promise("soak", "memory after many small requests, second half against first", "most", 1.05),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of a run.

    Attributes:
        key: of its promise.
        value: what is compared.
        product, baseline: what the two services did, where the value is made of that.
        unit: of these two.
        note: what a reader of the table must know.
        details: everything else, for the result file.
    """

    key: str
    value: float
    product: float | None = None
    baseline: float | None = None
    unit: str = ""
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For the result file."""
        return asdict(self)


def find_broken(measured: Iterable[Measured]) -> list[Promise]:
    """The promises that do not hold; what was not measured is not judged.

    Raises:
        KeyError: something was measured that nobody promised.
    """
    promises = {promise.key: promise for promise in PROMISES}
    return [
        promises[each.key]
        for each in measured
        if promises[each.key].kind != "shown" and not promises[each.key].is_kept_by(each.value)
    ]
