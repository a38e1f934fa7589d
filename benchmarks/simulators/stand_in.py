"""What stand-ins for both pipelines answer: one page of usual size, at once or after a while."""

import re

import orjson

_BLOCKS = 15
_TEXT = "A paragraph of a printed page, as long as such paragraphs are. " * 6

# The request's log id may ask for a while, so that requests can be held in flight.
_HOLD = re.compile(r"hold-([\d.]+)-")


def hold_id(seconds: float, number: int) -> str:
    """A log id that asks the stand-ins to answer only after so long."""
    return f"hold-{seconds}-{number}"


def held_seconds(log_id: str) -> float:
    """What a log id asks for; 0 unless it was made by `hold_id`."""
    match = _HOLD.match(log_id)
    return float(match[1]) if match else 0.0


def page_element() -> dict[str, object]:
    """An element of `layoutParsingResults` without pictures."""
    blocks = [
        {
            "block_label": "text",
            "block_content": _TEXT,
            "block_bbox": [100, 100 * number, 1000, 100 * number + 90],
            "block_id": number,
            "block_order": number + 1,
            "group_id": number,
        }
        for number in range(_BLOCKS)
    ]
    boxes = [
        {"cls_id": 22, "label": "text", "score": 0.9, "coordinate": block["block_bbox"], "order": number + 1}
        for number, block in enumerate(blocks)
    ]
    pruned = {
        "page_count": None,
        "width": 1190,
        "height": 1684,
        "parsing_res_list": blocks,
        "layout_det_res": {"boxes": boxes},
    }
    return {"prunedResult": pruned, "markdown": {"text": "\n\n".join([_TEXT] * _BLOCKS), "images": {}}}


def product_events() -> list[bytes]:
    """The product's wire: a document event, then the page's."""
    document = {
        "type": "document",
        "kind": "image",
        "pages": [{"width": 1190, "height": 1684}],
        "totalPages": 1,
        "renderScale": None,
    }
    page = orjson.dumps({"type": "page", "index": 0}) + b"\n" + orjson.dumps(page_element())
    return [orjson.dumps(document), page]


def reference_answer() -> bytes:
    """The baseline's wire: the whole answer."""
    info = {"width": 1190, "height": 1684, "type": "image"}
    result = {"layoutParsingResults": [page_element()], "dataInfo": info}
    return orjson.dumps({"logId": "stand-in", "errorCode": 0, "errorMsg": "Success", "result": result})
