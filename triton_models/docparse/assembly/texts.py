"""From what the model wrote about a region to the content of its block."""

import logging
from typing import Any

from docparse import paddlex_forms

logger = logging.getLogger(__name__)

# Shorter texts are never taken for repetition; tables repeat by nature. Source: PaddleX's pipeline.
_MIN_REPETITIVE_CHARACTERS = 50
_MIN_REPETITIVE_TABLE_CHARACTERS = 5000

# A real page holds a few thousand cells. PaddleX builds an object for each cell of the full grid, and one
# long row among many short ones, which a model gone astray can write, makes millions.
MAX_TABLE_CELLS = 50_000


def cut_repetition(text: str, label: str) -> str:
    """The text without what the model repeated, as PaddleX cuts it; most texts stay as they are."""
    least = _MIN_REPETITIVE_TABLE_CHARACTERS if label == "table" else _MIN_REPETITIVE_CHARACTERS
    return paddlex_forms.truncate_repetition(text, least)


def write_formulas(text: str, label: str) -> str:
    """The text with its formulas between dollars, as Markdown wants them."""
    inline = "\\(" in text and "\\)" in text
    display = "\\[" in text and "\\]" in text
    if not inline and not display:
        return text
    text = text.replace("$", "")
    text = text.replace("\\(", " $ ").replace("\\)", " $")
    text = text.replace("\\[\\[", "\\[").replace("\\]\\]", "\\]")
    text = text.replace("\\[", " $$ ").replace("\\]", " $$ ")
    return text.replace("$", "") if label == "formula_number" else text


def table_to_html(text: str) -> tuple[str, str | None]:
    """The HTML of a table, or the text as it is with the reason why it could not be converted."""
    if count_cells(text) > MAX_TABLE_CELLS:
        return text, "has too many cells"
    try:
        return paddlex_forms.otsl_to_html(text) or text, None
    except Exception:  # the boundary of a region: the model can write anything, and OTSL has no grammar check
        logger.warning("a table could not be converted", exc_info=True)
        return text, "is not well-formed"


def count_cells(otsl: str) -> int:
    """Cells of the full grid: rows times the longest row."""
    rows = otsl.split("<nl>")
    return len(rows) * max(row.count("cel>") for row in rows)


def read_spotting(text: str, width: int, height: int) -> tuple[str, dict[str, Any]]:
    """Text of a spotting answer, and its lines with their polygons in page pixels."""
    return paddlex_forms.read_spotting(text, width, height)
