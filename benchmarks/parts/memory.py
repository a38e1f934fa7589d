"""Peak memory of every process while one PDF is parsed, by its length."""

from contextlib import ExitStack

from benchmarks.measure.clients import ask_whole, open_session
from benchmarks.measure.processes import MemoryRecord
from benchmarks.parts.part import PartResult, Workbench
from benchmarks.promises import Measured
from benchmarks.stack.services import Services, running_pipelines
from benchmarks.workloads.documents import make_pdf
from benchmarks.workloads.requests import make_job

_SHORT_PAGES = 20
_MIDDLE_PAGES = (100,)
_BASELINE_PAGES = (20, 100)

# The devices are not of interest here: fast ones make the host work as hard as it can.
_FASTER = 8.0

_PRODUCT_ROLES = ("gateway", "triton", "layout-parsing", "layout-parsing workers", "layout-detection")
_BASELINE_ROLES = ("reference gateway", "triton", "reference-parsing")


async def measure_memory(bench: Workbench) -> PartResult:
    """Longer and longer PDFs through one stack of each: what a shorter one left behind is in the figure too."""
    long = bench.effort.long_pages
    ours = await _peaks(bench, "product", (_SHORT_PAGES, *_MIDDLE_PAGES, long))
    theirs = await _peaks(bench, "baseline", _BASELINE_PAGES)
    ratio = ours[long]["peak_bytes"] / ours[_SHORT_PAGES]["peak_bytes"]
    first, last = _BASELINE_PAGES
    their_ratio = theirs[last]["peak_bytes"] / theirs[first]["peak_bytes"]
    note = f"whole answers; the baseline's is {last} pages against {first}"
    details = {"product": ours, "baseline": theirs}
    points = {
        name: [(pages, peak["peak_bytes"]) for pages, peak in peaks.items()]
        for name, peaks in details.items()
    }
    return PartResult(
        [Measured("memory", ratio, ratio, their_ratio, "times", note, details)], {"memory": points}
    )


async def _peaks(bench: Workbench, name: str, lengths: tuple[int, ...]) -> dict[int, dict[str, object]]:
    peaks = {}
    with ExitStack() as stack:
        services = stack.enter_context(
            running_pipelines(bench.folder / f"memory-{name}", baseline=name == "baseline", faster=_FASTER)
        )
        url = services.product if name == "product" else str(services.reference)
        await _peak(services, url, name, _SHORT_PAGES)  # what is loaded at first use is loaded
        for pages in lengths:
            peaks[pages] = await _peak(services, url, name, pages)
            bench.say(f"{name:<8} {pages:>5} pages: peak {peaks[pages]['peak_bytes'] / 1e6:.0f} MB")
    return peaks


async def _peak(services: Services, url: str, name: str, pages: int) -> dict[str, object]:
    job = make_job(make_pdf(pages, seed=5000 + pages), pages, is_pdf=True)
    wanted = _PRODUCT_ROLES if name == "product" else _BASELINE_ROLES
    roles = {role: processes for role, processes in services.roles().items() if role in wanted}
    with MemoryRecord(roles) as memory:
        async with open_session() as session:
            seconds = await ask_whole(session, url, job)
    by_role = {role: max(samples, default=0) for role, samples in memory.samples.items()}
    return {"peak_bytes": memory.peak_bytes, "seconds": round(seconds, 1), "by_role": by_role}
