"""Names of pictures, unique over the pages of one response."""

import itertools
import re
import threading
from collections.abc import Iterable
from pathlib import PurePosixPath

_BOX = re.compile(r"_box_(?=[^/]*$)")
_PAGE = re.compile(r"_page_\d+(?=_box_[^/]*$)")


class ImageKeys:
    """Decides which page of a document keeps a picture's plain name; one per response, thread-safe.

    PaddleX names a picture by its label and box, so two pages with a figure in the same place would share
    a name. The rule: the first page that has the name keeps it; on others the name gets the page's number.
    Pages are finished in any order, but announce their names at layout, long before. Where a page claims its
    names only when all before it have announced theirs (`PageOrder`), the same request gives the same names.
    Uniqueness never depends on it: what a page was given it keeps.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._announced: dict[str, int] = {}
        self._given: dict[str, int] = {}
        self._claims = 0

    def announce(self, position: int, keys: Iterable[str]) -> None:
        """Say early which names the page at `position` (from 0) will ask for."""
        with self._lock:
            for key in keys:
                self._announced[key] = min(position, self._announced.get(key, position))

    def claim(self, position: int | None, keys: Iterable[str]) -> dict[str, str]:
        """The names that the page at `position` must use instead; those that it keeps are not in it.

        Called once per page. Pages that do not know their position are numbered as they come.
        """
        renamed = {}
        with self._lock:
            position = self._claims if position is None else position
            self._claims += 1
            for key in keys:
                first = self._given.get(key)
                if first is None:
                    first = min(position, self._announced.get(key, position))
                    if first == position:
                        self._given[key] = position
                if first != position:
                    renamed[key] = self._free_name(key, position)
        return renamed

    def _free_name(self, key: str, position: int) -> str:
        """The name with the page's number; with a higher one where another picture has that name already."""
        names = (name_with_page(key, number) for number in itertools.count(position))
        name = next(name for name in names if name not in self._announced and name not in self._given)
        self._given[name] = position
        return name


def name_with_page(key: str, position: int) -> str:
    """`imgs/img_in_image_box_1_2_3_4.jpg` of the second page: `imgs/img_in_image_page_2_box_1_2_3_4.jpg`.

    What clients read out of a name, its start and its box at the end, stays where it was. A name that has a
    page's number already gets the new one instead; a name of another making gets it before its suffix.
    """
    page = f"_page_{position + 1}"
    plain = plain_name(key)
    if _BOX.search(plain):
        return _BOX.sub(f"{page}_box_", plain)
    path = PurePosixPath(key)
    return str(path.parent / f"{path.stem}{page}{path.suffix}") if path.name else f"{key}{page}"


def plain_name(key: str) -> str:
    """The name without a page's number."""
    return _PAGE.sub("", key)
