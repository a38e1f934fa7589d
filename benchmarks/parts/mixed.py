"""Sixteen documents in flight, single pages and 100-page PDFs: is the VLM kept busy, and how many pages come out."""

import itertools
import math
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.measure.clients import Finished, Loops, open_session
from benchmarks.measure.device import DeviceRecord, recording, wait_until_idle
from benchmarks.measure.statistics import median, rounded
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services, running_pipelines
from benchmarks.stack.vlm import busy_fraction
from benchmarks.workloads.documents import make_pdf, make_scan
from benchmarks.workloads.requests import Job, make_job

_PDF_CLIENTS = 2
_IMAGE_CLIENTS = 14
_PDF_PAGES = 100
_SCANS = 24

# Of the simulated VLM, as many as a deployment has; see benchmarks/README.md.
_PLACES = 128

_WARM_UP_SECONDS = 12.0
_PRODUCT_SECONDS = 30.0
# The baseline answers in bursts, one for each batch of its model; so long is waited for two of them with a PDF.
_BASELINE_SECONDS = 45.0
_BURST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class MixedLoad:
    """The documents of the load."""

    scans: list[Job]
    pdfs: list[Job]

    @classmethod
    def make(cls) -> "MixedLoad":
        """Always the same."""
        return cls(
            [make_job(make_scan(seed), 1, is_pdf=False) for seed in range(_SCANS)],
            [
                make_job(make_pdf(_PDF_PAGES, seed), _PDF_PAGES, is_pdf=True)
                for seed in range(1000, 1000 + _PDF_CLIENTS)
            ],
        )

    def start(self, loops: Loops, *, stream: bool) -> None:
        """Every client; PDFs are streamed where the service can, so that pages are counted as they come.

        The images go first: the first request is a batch of its own in the baseline, and ought to be a short one.
        """
        for number in range(_IMAGE_CLIENTS):
            loops.add(self.scans, start=number * _SCANS // _IMAGE_CLIENTS)
        for number in range(_PDF_CLIENTS):
            loops.add(self.pdfs, start=number, stream=stream)


@dataclass(frozen=True, slots=True)
class Rates:
    """Of one run: pages per second, and the part of the device's limit that was reached."""

    pages_per_second: float
    busy: float
    sequences: float
    image_seconds: list[float]


async def measure_mixed(bench: Workbench) -> PartResult:
    """Product and baseline in turns, each turn on a Triton of its own.

    The baseline does not notice that its clients have left, and would go on beside the next turn's product.
    """
    load, factor = MixedLoad.make(), bench.effort.seconds
    product, baseline = [], []
    for turn in range(bench.effort.repeats):
        with running_pipelines(bench.folder / f"mixed-{turn}", baseline=True, places=_PLACES) as services:
            product.append(await _run_product(services, load, factor))
            bench.say(f"product  {_describe(product[-1])}")
            baseline.append(await _run_baseline(services, load, factor))
            bench.say(f"baseline {_describe(baseline[-1])}")
    return _result(product, baseline)


async def _run_product(services: Services, load: MixedLoad, factor: float) -> Rates:
    vlm = services.vlm
    async with open_session() as session, recording(vlm) as record:
        async with Loops(session, services.product) as loops:
            load.start(loops, stream=True)
            await loops.run_for(_WARM_UP_SECONDS)
            first = time.monotonic()
            await loops.run_for(_PRODUCT_SECONDS * factor)
            last = time.monotonic()
        await wait_until_idle(vlm)
    return _rates(loops.finished, record, first, last)


async def _run_baseline(services: Services, load: MixedLoad, factor: float) -> Rates:
    """From the end of one burst with a PDF to the end of another, so that no batch and no round of PDFs is cut off."""
    async with (
        open_session() as session,
        recording(services.vlm) as record,
        Loops(session, str(services.reference)) as loops,
    ):
        load.start(loops, stream=False)
        began = time.monotonic()
        bursts: list[float] = []
        while time.monotonic() - began < _BASELINE_SECONDS * factor or len(bursts) < 2:
            await loops.run_for(1.0)
            bursts = pdf_burst_ends(loops.finished, time.monotonic())
    return _rates(loops.finished, record, bursts[0], bursts[-1])


def burst_ends(finished: Finished, now: float, pause_seconds: float = _BURST_SECONDS) -> list[float]:
    """When each burst of answers was over; the last counts once nothing has followed it for a while."""
    times = sorted(at for at, _, _ in finished.documents)
    following = [*times, now][1:]
    return [at for at, after in zip(times, following, strict=True) if after - at > pause_seconds]


def pdf_burst_ends(finished: Finished, now: float) -> list[float]:
    """When each burst with a PDF among its answers was over."""
    ends = burst_ends(finished, now)
    pdfs = [at for at, pages, _ in finished.documents if pages > 1]
    return [
        end for begin, end in itertools.pairwise([-math.inf, *ends]) if any(begin < at <= end for at in pdfs)
    ]


def _rates(finished: Finished, record: DeviceRecord, first: float, last: float) -> Rates:
    counted = record.between(first, last)
    return Rates(
        finished.pages_between(first, last) / (last - first),
        busy_fraction(counted),
        counted["sequence_seconds"] / counted["seconds"],
        [taken for at, pages, taken in finished.documents if pages == 1 and first < at <= last],
    )


def _result(product: list[Rates], baseline: list[Rates]) -> PartResult:
    busy = [median([run.busy for run in runs]) for runs in (product, baseline)]
    pages = [median([run.pages_per_second for run in runs]) for runs in (product, baseline)]
    details: dict[str, Any] = {
        name: {
            "busy": rounded([run.busy for run in runs]),
            "pages_per_second": rounded([run.pages_per_second for run in runs]),
            "sequences": rounded([run.sequences for run in runs]),
            "image_seconds": rounded([each for run in runs for each in run.image_seconds], 3),
        }
        for name, runs in (("product", product), ("baseline", baseline))
    }
    details["places"] = _PLACES
    ratios = [
        ours.pages_per_second / theirs.pages_per_second
        for ours, theirs in zip(product, baseline, strict=True)
    ]
    return PartResult(
        [
            Measured("busy", busy[0], busy[0], busy[1], "of the limit", details=details),
            Measured(
                "throughput",
                median(ratios),
                pages[0],
                pages[1],
                "pages/s",
                f"a service that kept the VLM full would reach {1 / busy[1]:.2f}",
            ),
        ]
    )


def _describe(run: Rates) -> str:
    images = median(run.image_seconds) if run.image_seconds else float("nan")
    return (
        f"{run.pages_per_second:.2f} pages/s, busy {run.busy:.3f}, "
        f"{run.sequences:.0f} sequences, an image in {images:.1f} s (median)"
    )
