"""What only the whole document shows: tables that continue on the next page, and the levels of titles."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from docparse import paddlex_forms
from docparse.assembly.element import make_keys_final
from docparse.assembly.image_keys import ImageKeys
from docparse.assembly.page import ParsedPage
from docparse.options import ParseOptions

logger = logging.getLogger(__name__)

# PaddleX walks every cell of a span. No table has one this long, but a page can say so in text that the
# model copies as HTML.
_MAX_SPAN = 1000
_SPAN = re.compile(r"(row|col)span\s*=\s*[\"']?([^\"'\s>]*)", re.IGNORECASE)
_CELL = re.compile(r"<t[dh]\b", re.IGNORECASE)
# Places in the grid of one table, counted too high rather than too low; it walks about a million in a second.
_MAX_SPANNED_CELLS = 1_000_000


def restructure(pages: Sequence[ParsedPage], options: ParseOptions) -> list[ParsedPage]:
    """Join tables over pages and level titles, as the options ask; the pages are changed in place.

    Where joining or levelling fails, the pages stay as they are but for a warning on the first.
    """
    keys = ImageKeys()
    for position, page in enumerate(pages):
        if page.position is None:
            page.position = position
        make_keys_final(page, keys)  # before a table with figures moves to another page
    warnings = relate_pages(
        [page.form["parsing_res_list"] for page in pages],
        merge_tables=options.merge_tables,
        relevel_titles=options.relevel_titles,
    )
    if pages:
        pages[0].warnings.extend(warnings)
    return list(pages)


def relate_pages(
    blocks_by_page: list[list[Any]], *, merge_tables: bool, relevel_titles: bool
) -> list[dict[str, Any]]:
    """Number blocks over the document, join tables and level titles, in place.

    Blocks get `global_block_id` and `global_group_id`, which run over the document.

    Returns:
        Warnings about what could not be done; the pages are sound without it.
    """
    for number, block in enumerate(block for blocks in blocks_by_page for block in blocks):
        block.global_block_id = block.global_group_id = number
    warnings = []
    if merge_tables and not _succeeds(_join_tables, blocks_by_page):
        warnings.append({"code": "tables_not_merged", "message": "Tables could not be merged over pages."})
    if relevel_titles and not _succeeds(paddlex_forms.level_titles, blocks_by_page):
        warnings.append({"code": "titles_not_releveled", "message": "Levels of titles could not be found."})
    return warnings


def _succeeds(change: Callable[[list[list[Any]]], None], blocks: list[list[Any]]) -> bool:
    try:
        change(blocks)
    except Exception:  # the boundary of an extra: the pages are sound without it
        logger.exception("restructuring failed: %s", change.__name__)
        return False
    return True


def _join_tables(blocks_by_page: list[list[Any]]) -> None:
    for blocks in blocks_by_page:
        for block in blocks:
            if block.label == "table" and not _spans_are_sane(block.content):
                raise ValueError("a table has a span that is no number, or absurd")
    paddlex_forms.join_tables(blocks_by_page)


def _spans_are_sane(html: str) -> bool:
    spans = _SPAN.findall(html)
    if not all(span.isdecimal() and int(span) <= _MAX_SPAN for _, span in spans):
        return False
    rows = sum(int(span) for kind, span in spans if kind.lower() == "row")
    widest = max((int(span) for kind, span in spans if kind.lower() == "col"), default=1)
    return (len(_CELL.findall(html)) + rows) * widest <= _MAX_SPANNED_CELLS
