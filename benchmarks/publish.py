"""Put the figures of a run into docs/PERFORMANCE.md: `make bench-page RESULT=...`."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from benchmarks.promises import Measured
from benchmarks.report import render_table

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_PAGE = _DOCS / "PERFORMANCE.md"
_PLOTS = _DOCS / "performance"

_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def render_figures(result: dict[str, Any]) -> str:
    """The table of a run, and where it was made."""
    machine = result["machine"]
    noise = [
        part["cores_busy_with_others"]
        for part in result["parts"].values()
        if "cores_busy_with_others" in part
    ]
    lines = [
        render_table([Measured(**each) for each in result["measured"]]),
        "",
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}.",
    ]
    if noise:
        lines.append(
            f"Meanwhile {min(noise)} to {max(noise)} cores of the machine were busy with something else."
        )
    return "\n".join(lines) + "\n"


def put_figures(page: str, figures: str) -> str:
    """The page with these figures in the place of the last ones.

    Raises:
        ValueError: the page has no place for them.
    """
    changed, places = _BLOCK.subn(lambda match: f"{match[1]}{figures}{match[2]}", page)
    if places != 1:
        raise ValueError(f"the page has {places} places for figures, not one")
    return changed


def main() -> None:
    """Write the page and its plots."""
    from benchmarks.plots import draw_all  # noqa: PLC0415  its environment is one of its own

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    result = json.loads(parser.parse_args().result.read_text(encoding="utf-8"))
    _PAGE.write_text(put_figures(_PAGE.read_text(encoding="utf-8"), render_figures(result)), encoding="utf-8")
    for path in [_PAGE, *draw_all(result, _PLOTS)]:
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
