"""What only the whole document shows: tables that continue on the next page, and the levels of titles."""

import logging
import re
from collections.abc import Sequence
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
_SPAN = re.compile(r"(?:row|col)span\s*=\s*[\"']?([^\"'\s>]*)", re.IGNORECASE)


def restructure(pages: Sequence[ParsedPage], options: ParseOptions) -> list[ParsedPage]:
    """Join tables over pages and level titles, as the options ask; the pages are changed in place.

    Blocks get `global_block_id` and `global_group_id`, which run over the document. Where joining or
    levelling fails, the pages stay as they are but for a warning on the first.
    """
    keys = ImageKeys()
    for position, page in enumerate(pages):
        if page.position is None:
            page.position = position
        make_keys_final(page, keys)  # before a table with figures moves to another page
    blocks_by_page = [page.form["parsing_res_list"] for page in pages]
    for number, block in enumerate(block for blocks in blocks_by_page for block in blocks):
        block.global_block_id = block.global_group_id = number
    if options.merge_tables and pages:
        _attempt(
            pages[0],
            "tables_not_merged",
            "Tables could not be merged over pages.",
            _join_tables,
            blocks_by_page,
        )
    if options.relevel_titles and pages:
        _attempt(
            pages[0], "titles_not_releveled", "Levels of titles could not be found.",
            paddlex_forms.level_titles, blocks_by_page,
        )  # fmt: skip
    return list(pages)


def _attempt(page: ParsedPage, code: str, message: str, change: Any, blocks: list[list[Any]]) -> None:
    try:
        change(blocks)
    except Exception:  # the boundary of an extra: the pages are sound without it
        logger.exception("restructuring failed: %s", code)
        page.warnings.append({"code": code, "message": message})


def _join_tables(blocks_by_page: list[list[Any]]) -> None:
    for blocks in blocks_by_page:
        for block in blocks:
            if block.label == "table" and not _spans_are_sane(block.content):
                raise ValueError("a table has a span that is no number, or absurd")
    paddlex_forms.join_tables(blocks_by_page)


def _spans_are_sane(html: str) -> bool:
    return all(span.isdecimal() and int(span) <= _MAX_SPAN for span in _SPAN.findall(html))
