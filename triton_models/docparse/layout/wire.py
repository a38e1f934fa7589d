"""The wire between the `layout-parsing` and `layout-detection` models: options in, boxes out, as JSON."""

from collections.abc import Sequence

import orjson

from docparse.layout.detector import LayoutBox, LayoutOptions


def encode_layout_options(options: LayoutOptions) -> bytes:
    """JSON of the options; class ids become strings, as JSON has it."""
    return orjson.dumps(options, option=orjson.OPT_NON_STR_KEYS)


def decode_layout_options(raw: bytes) -> LayoutOptions:
    """What `encode_layout_options` wrote."""
    return LayoutOptions(**orjson.loads(raw))


def encode_boxes(boxes: Sequence[LayoutBox]) -> bytes:
    """JSON of the boxes of one page, in reading order."""
    return orjson.dumps(list(boxes))


def decode_boxes(raw: bytes) -> list[LayoutBox]:
    """What `encode_boxes` wrote."""
    return [LayoutBox(**{**box, "coordinate": tuple(box["coordinate"])}) for box in orjson.loads(raw)]
