"""docs/PERFORMANCE.md: figures in their place, plots small enough for a page."""

from pathlib import Path

import pytest

from benchmarks.promises import PROMISES
from benchmarks.publish import put_figures, render_figures

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOTS = ("throughput", "latency", "memory")

RESULT = {
    "machine": {"cores": 2, "processor": "a processor", "python": "3.11"},
    "parts": {"beside": {"seconds": 3.0, "cores_busy_with_others": 0.5}, "memory": {"seconds": 1.0}},
    "seconds": 600.0,
    "series": {
        "throughput": [
            {"in_flight": number, "product": 2.0 * number, "baseline": 1.0 * number} for number in (1, 4, 16)
        ],
        "memory": {"product": [[20, 1e9], [1000, 1.1e9]], "baseline": [[20, 1e9], [100, 2e9]]},
    },
    "measured": [
        {
            "key": "beside", "value": 1.5, "product": 1.5, "baseline": 40.0, "unit": "times alone", "note": "",
            "details": {
                f"{name}_{place}_seconds": [1.0, 2.0]
                for name in ("product", "baseline")
                for place in ("alone", "beside")
            },
        }
    ],
}  # fmt: skip


def test_figures_take_the_place_of_the_last_ones():
    page = "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n"
    new = put_figures(page, render_figures(RESULT))
    assert "old" not in new
    assert new.startswith("before\n")
    assert new.endswith("after\n")
    assert put_figures(new, render_figures(RESULT)) == new
    assert "0.5 to 0.5 cores" in new


def test_a_page_without_a_place_is_an_error():
    with pytest.raises(ValueError, match="0 places"):
        put_figures("nothing", "figures")


def test_the_page_has_its_place_and_its_plots():
    page = (DOCS / "PERFORMANCE.md").read_text(encoding="utf-8")
    assert put_figures(page, "figures\n") != page
    for name in PLOTS:
        assert f"(performance/{name}.svg)" in page
        assert (DOCS / "performance" / f"{name}.svg").stat().st_size < 100_000


def test_every_promise_was_measured_for_the_page():
    page = (DOCS / "PERFORMANCE.md").read_text(encoding="utf-8")
    assert [promise.key for promise in PROMISES if promise.what not in page] == []


def test_plots_are_drawn_and_small(tmp_path):
    # matplotlib is in an environment of its own; see pyproject.toml.
    plots = pytest.importorskip("benchmarks.plots")
    drawn = plots.draw_all(RESULT, tmp_path)
    assert {path.stem for path in drawn} == set(PLOTS)
    for path in drawn:
        assert 1000 < path.stat().st_size < 100_000
