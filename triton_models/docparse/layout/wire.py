"""The wire between the `layout-parsing` and `layout-detection` models: pages and options in, boxes out, as JSON."""

from collections.abc import Sequence
from typing import Any

import orjson

from docparse.errors import PageFailure
from docparse.layout.detector import LayoutBox, LayoutOptions
from docparse.page_memory import PageReference

# In the place of a page's boxes. Not an error of Triton's: one model calling another does not get its code,
# so that a page that cannot be laid out would look like a model that is gone.
PAGE_FAILED = b'{"failed":true}'


def encode_layout_options(options: LayoutOptions) -> bytes:
    """JSON of the options; class ids become strings, as JSON has it."""
    return orjson.dumps(options, option=orjson.OPT_NON_STR_KEYS)


def decode_layout_options(raw: bytes) -> LayoutOptions:
    """What `encode_layout_options` wrote."""
    options: dict[str, Any] = orjson.loads(raw)
    return LayoutOptions(**{**options, "unclip_ratio": _with_pairs(options["unclip_ratio"])})


def encode_page_reference(reference: PageReference) -> bytes:
    """JSON of where a page lies that is not sent itself."""
    return orjson.dumps(reference)


def decode_page_reference(raw: bytes) -> PageReference:
    """What `encode_page_reference` wrote."""
    return PageReference(**orjson.loads(raw))


def encode_boxes(boxes: Sequence[LayoutBox]) -> bytes:
    """JSON of the boxes of one page, in reading order."""
    return orjson.dumps(list(boxes))


def decode_boxes(raw: bytes) -> list[LayoutBox]:
    """What `encode_boxes` wrote.

    Raises:
        PageFailure: `PAGE_FAILED` is there instead.
    """
    if raw == PAGE_FAILED:
        raise PageFailure("The layout of this page could not be detected.")
    return [_read_box(box) for box in orjson.loads(raw)]


def _read_box(box: dict[str, Any]) -> LayoutBox:
    points = box["polygon_points"]
    polygon = None if points is None else [(x, y) for x, y in points]
    return LayoutBox(**{**box, "coordinate": tuple(box["coordinate"]), "polygon_points": polygon})


def _with_pairs(ratio: Any) -> Any:
    """Pairs are lists in JSON."""
    if isinstance(ratio, dict):
        return {key: _with_pairs(value) for key, value in ratio.items()}
    return tuple(ratio) if isinstance(ratio, list) else ratio
