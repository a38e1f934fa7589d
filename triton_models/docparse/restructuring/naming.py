"""Which picture a block shows: its name is not in `prunedResult`, and PaddleX's can stand for several."""

import re
from collections.abc import Iterable, Sequence

from docparse import paddlex_forms
from docparse.assembly.image_keys import name_with_page, plain_name
from docparse.restructuring.request import GivenBlock

# Our own pictures only: a text may show any other URL.
_SOURCE = re.compile(r'src="(imgs/[^"]+)"')


def mentioned_keys(content: str) -> list[str]:
    """Image keys that the HTML of a block's content shows."""
    return _SOURCE.findall(content)


def name_pictures(
    blocks: Sequence[GivenBlock], labels: Iterable[str], keys: Iterable[str], position: int
) -> dict[int, str]:
    """Image key of each block that is a picture, by the block's index.

    A block's label and box give its plain name. Where the service has put a page's number into the name, it is
    found among `keys`; so each of several pictures with one plain name, in pages joined before, finds its own.

    Args:
        blocks: of one page.
        labels: of the blocks that are pictures.
        keys: of the pictures that came with the page.
        position: of the page, from 0.
    """
    labels = frozenset(labels)
    plain = {
        index: paddlex_forms.image_key(block.block_label, block.block_bbox)
        for index, block in enumerate(blocks)
        if block.block_label in labels
    }
    candidates = _by_plain_name(blocks, keys, position)
    names = {}
    for index, name in plain.items():
        known = candidates.get(name, [])
        # A block in its Markdown form says it itself.
        said = [key for key in mentioned_keys(blocks[index].block_content) if plain_name(key) == name]
        names[index] = said[0] if said else next(iter(known), name)
        if names[index] in known:
            known.remove(names[index])
    return names


def _by_plain_name(blocks: Sequence[GivenBlock], keys: Iterable[str], position: int) -> dict[str, list[str]]:
    """The keys that share a plain name, the likeliest first."""
    in_tables = {
        key for block in blocks if block.block_label == "table" for key in mentioned_keys(block.block_content)
    }

    def unlikeliness(key: str) -> tuple[bool, bool, bool]:
        return key in in_tables, key != name_with_page(key, position), key != plain_name(key)

    groups: dict[str, list[str]] = {}
    for key in sorted(keys, key=unlikeliness):
        groups.setdefault(plain_name(key), []).append(key)
    return groups
