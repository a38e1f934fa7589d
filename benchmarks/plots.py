"""The plots of docs/PERFORMANCE.md, from a result file."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
# Text as text: smaller files, and the reader's own font.
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "paddleocr-vl-hps", "font.size": 9})

import matplotlib.pyplot as plt  # noqa: E402  after the backend was chosen

_SIZE = (5.6, 3.2)
_PRODUCT, _BASELINE = "tab:blue", "tab:gray"


def draw_all(result: dict[str, Any], folder: Path) -> list[Path]:
    """Every plot that the result has the figures for, as SVG files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    details = {each["key"]: each["details"] for each in result["measured"]}
    series = result["series"]
    drawn = []
    if "throughput" in series:
        drawn.append(_draw_throughput(series["throughput"], folder / "throughput.svg"))
    if "beside" in details:
        drawn.append(_draw_latencies(details["beside"], folder / "latency.svg"))
    if "memory" in series:
        drawn.append(_draw_memory(series["memory"], folder / "memory.svg"))
    return drawn


def _draw_throughput(points: list[dict[str, float]], path: Path) -> Path:
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    in_flight = [point["in_flight"] for point in points]
    for name, colour in (("product", _PRODUCT), ("baseline", _BASELINE)):
        axes.plot(in_flight, [point[name] for point in points], "o-", color=colour, label=name)
    axes.set(xscale="log", xlabel="single pages in flight", ylabel="pages per second", ylim=(0, None))
    axes.set_xticks(in_flight, [str(each) for each in in_flight])
    axes.minorticks_off()
    return _save(figure, axes, path)


def _draw_latencies(details: dict[str, list[float]], path: Path) -> Path:
    """How many of the pages were answered within how long."""
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    for name, colour in (("product", _PRODUCT), ("baseline", _BASELINE)):
        for place, style in (("alone", ":"), ("beside", "-")):
            values = sorted(details[f"{name}_{place}_seconds"])
            shares = [(number + 1) / len(values) for number in range(len(values))]
            label = f"{name}, {place}" + (" three 100-page PDFs" if place == "beside" else "")
            axes.step([values[0], *values], [0, *shares], style, where="post", color=colour, label=label)
    axes.set(xscale="log", xlabel="seconds until a single page is answered", ylabel="share of pages")
    return _save(figure, axes, path)


def _draw_memory(points: dict[str, list[list[float]]], path: Path) -> Path:
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    for name, colour in (("product", _PRODUCT), ("baseline", _BASELINE)):
        pages, peaks = zip(*points[name], strict=True)
        axes.plot(pages, [peak / 1e6 for peak in peaks], "o-", color=colour, label=name)
    axes.set(xscale="log", xlabel="pages of one PDF", ylabel="peak memory, MB", ylim=(0, None))
    ticks = sorted({pages for each in points.values() for pages, _ in each})
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.minorticks_off()
    return _save(figure, axes, path)


def _save(figure: Any, axes: Any, path: Path) -> Path:
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path
