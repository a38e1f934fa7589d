"""What an answer says, in the terms of the true pages under tests/data/examples."""

import html
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

TRUTH = Path(__file__).resolve().parents[1] / "data" / "examples"

# LaTeX and HTML are how a text is written down, not what it says.
_MARKUP = re.compile(r"<[^>]*>|\$\$?|\\[\[\]()]")


def true_pages(name: str) -> list[dict[str, Any]]:
    return json.loads((TRUTH / f"{name}.json").read_text(encoding="utf-8"))["pages"]


def true_text(page: dict[str, Any]) -> str:
    """Every character of a true page, in reading order."""
    return "".join(_region_text(region) for region in sorted(page["regions"], key=lambda r: r["order"]))


def _region_text(region: dict[str, Any]) -> str:
    if region.get("rows"):
        return "".join(cell for row in region["rows"] for cell in row)
    return region.get("text") or ""


def read_text(page: dict[str, Any]) -> str:
    """Every character of the blocks of an answered page, in their order."""
    return "".join(block["block_content"] for block in page["prunedResult"]["parsing_res_list"])


def plain(text: str) -> str:
    """Without markup, spaces and typographic variants, which no reader would call an error."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", html.unescape(_MARKUP.sub("", text))))


def character_error_rate(read: str, true: str) -> float:
    return Levenshtein.distance(plain(read), plain(true)) / len(plain(true))


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.rows[-1][-1] += data


def table_rows(block_content: str) -> list[list[str]]:
    parser = _Rows()
    parser.feed(block_content)
    return [[plain(cell) for cell in row] for row in parser.rows]


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union
