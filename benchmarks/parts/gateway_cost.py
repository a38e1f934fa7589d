"""What the two gateways cost: CPU of a request, and time on top of asking Triton. Over stand-ins for the pipelines."""

import time
from collections.abc import Awaitable, Callable

from benchmarks.measure.clients import ask_whole, open_session
from benchmarks.measure.direct import DirectTriton
from benchmarks.measure.processes import cpu_seconds
from benchmarks.measure.statistics import median, rounded
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services
from benchmarks.workloads.documents import make_noise_image
from benchmarks.workloads.requests import Job, make_job

_MB = 1_000_000
# A base64 character carries six bits.
_DOCUMENT_OF_BODY = 3 / 4

# Requests of one turn and size; CPU is counted in hundredths of a second, so a turn must cost many of them.
_TURN_REQUESTS = {1: 120, 10: 20, 100: 3}
_PROMISED = (1, 10)
_TURNS = 2
_WARM_UP = 5

_LATENCY_REQUESTS = 60


async def measure_gateway_cpu(bench: Workbench) -> PartResult:
    """CPU time of the gateways' processes for each request, in turns; one request at a time."""
    services = bench.running
    result = PartResult()
    for megabytes, requests in _TURN_REQUESTS.items():
        job = _job(megabytes)
        ours, theirs = [], []
        for turn in range(_TURNS * bench.effort.repeats // 2 + 1):
            for name, samples in (("product", ours), ("reference", theirs)):
                cost = await _cpu_of_a_request(services, name, job, requests)
                if turn:  # the first is to warm up
                    samples.append(cost)
        figures = _cpu_figures(megabytes, ours, theirs)
        bench.say(
            f"{megabytes:>3} MB: product {figures.product:.1f} ms, baseline {figures.baseline:.1f} ms,"
            f" ratio {figures.value:.2f}"
        )
        if megabytes in _PROMISED:
            result.measured.append(figures)
        else:
            result.series[figures.key] = figures.to_json()
    return result


def _cpu_figures(megabytes: int, ours: list[float], theirs: list[float]) -> Measured:
    return Measured(
        f"gateway_cpu_{megabytes}mb",
        median(ours) / median(theirs),
        median(ours) * 1e3,
        median(theirs) * 1e3,
        "ms of CPU",
        "stand-in for the pipeline",
        {"product_seconds": rounded(ours, 5), "baseline_seconds": rounded(theirs, 5)},
    )


async def _cpu_of_a_request(services: Services, name: str, job: Job, requests: int) -> float:
    url = services.product if name == "product" else str(services.reference)
    pids = services.gateway_pids(name)
    # Connections of its own: an idle one might just be closed by the other side.
    async with open_session() as session:
        before = cpu_seconds(pids)
        for _ in range(requests):
            await ask_whole(session, url, job)
        return (cpu_seconds(pids) - before) / requests


async def measure_gateway_latency(bench: Workbench) -> PartResult:
    """Milliseconds that the product's gateway adds to what Triton takes, over the stand-in."""
    services, job, document = bench.running, _job(1), _document(1)
    async with open_session() as session, DirectTriton(services.triton_grpc) as triton:
        direct, through = await _in_turns(
            round(_LATENCY_REQUESTS * bench.effort.seconds),
            lambda: triton.parse(document, "png"),
            lambda: ask_whole(session, services.product, job),
        )
        theirs = [await ask_whole(session, str(services.reference), job) for _ in range(20)]
    added = median([one - other for one, other in zip(through, direct, strict=True)])
    bench.say(f"Triton {median(direct) * 1e3:.1f} ms, through the gateway {median(through) * 1e3:.1f} ms")
    details = {
        "direct_seconds": rounded(direct, 5),
        "through_seconds": rounded(through, 5),
        "baseline_seconds": rounded(theirs, 5),
        "ratio_over_stand_in": round(median(through) / median(direct), 3),
    }
    added_by_theirs = (median(theirs) - median(direct)) * 1e3
    note = "stand-in for the pipeline; HTTP and gRPC clients included"
    return PartResult(
        [Measured("gateway_added_ms", added * 1e3, added * 1e3, added_by_theirs, "ms", note, details)]
    )


async def measure_gateway_ratio(bench: Workbench) -> PartResult:
    """A page of 1 MB through the gateway against asking Triton, with the pipeline in it."""
    services, job, document = bench.running, _job(1), _document(1)
    async with open_session() as session, DirectTriton(services.triton_grpc) as triton:
        direct, through = await _in_turns(
            max(4, round(10 * bench.effort.seconds)),
            lambda: triton.parse(document, "png"),
            lambda: ask_whole(session, services.product, job),
        )
    ratio = median([one / other for one, other in zip(through, direct, strict=True)])
    bench.say(
        f"Triton {median(direct):.3f} s, through the gateway {median(through):.3f} s, ratio {ratio:.3f}"
    )
    details = {"direct_seconds": rounded(direct), "through_seconds": rounded(through)}
    return PartResult([Measured("gateway_latency", ratio, ratio, None, "times", "", details)])


async def _in_turns(
    times: int, one: Callable[[], Awaitable[object]], other: Callable[[], Awaitable[object]]
) -> tuple[list[float], list[float]]:
    """Seconds of both, turn by turn, after some to warm up."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(-_WARM_UP, times):
        for ask, samples in zip((one, other), taken, strict=True):
            began = time.monotonic()
            await ask()
            if turn >= 0:
                samples.append(time.monotonic() - began)
    return taken


def _document(megabytes: int) -> bytes:
    return make_noise_image(int(megabytes * _MB * _DOCUMENT_OF_BODY), seed=1)


def _job(megabytes: int) -> Job:
    return make_job(_document(megabytes), 1, is_pdf=False)
