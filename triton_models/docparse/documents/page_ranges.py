"""Which pages a request asks for."""

import re

from docparse.errors import InvalidOption

_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")


def select_pages(page_ranges: str | None, total_pages: int) -> list[int]:
    """Page indexes (from 0, ascending, each once) that `page_ranges` such as `1-3,7` selects.

    Raises:
        InvalidOption: not of that form, or a page that the document does not have.
    """
    if page_ranges is None:
        return list(range(total_pages))
    selected: set[int] = set()
    for part in page_ranges.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise InvalidOption(f"`pageRanges` must look like '1-3,7'; got: {page_ranges!r}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last:
            raise InvalidOption(
                f"`pageRanges` counts pages from 1, in ascending ranges; got: {part.strip()!r}."
            )
        if last > total_pages:
            raise InvalidOption(
                f"`pageRanges` asks for page {last}, but the document has {total_pages} "
                f"page{'' if total_pages == 1 else 's'}."
            )
        selected.update(range(first - 1, last))
    return sorted(selected)
