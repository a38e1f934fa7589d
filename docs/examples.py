"""The examples of API.md: what to run, and what comes back. The tests run them."""

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# In place of those that are generated.
LOG_ID = "0d3b6f6d5e0b4f6c8a4f7f0f3f6b1c2d"

LINE_CHARACTERS = 110


@dataclass(frozen=True)
class Example:
    """A command of the shell, run in the repository's root, and the JSON objects that it prints, one a line."""

    title: str
    command: str
    answers: tuple[Json, ...]


def show(value: object, indent: str = "") -> str:
    """JSON over several lines, but what fits into one stands in one."""
    text = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(text) <= LINE_CHARACTERS or not isinstance(value, dict | list) or not value:
        return text
    deeper = indent + "  "
    if isinstance(value, list):
        parts = [show(item, deeper) for item in value]
    else:
        parts = [f"{json.dumps(name)}: {show(item, deeper)}" for name, item in value.items()]
    first, last = "[]" if isinstance(value, list) else "{}"
    return f"{first}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{last}"


def _success(result: Json) -> Json:
    return {"logId": LOG_ID, "result": result, "errorCode": 0, "errorMsg": "Success"}


def _block(
    number: int, label: str, content: str, bbox: list[int], order: int | None = None, **more: int
) -> Json:
    return {
        "block_label": label,
        "block_content": content,
        "block_bbox": bbox,
        "block_id": number,
        "block_order": order,
        "group_id": number,
        **more,
    }


_IMAGE_INFO = {"width": 1654, "height": 2339, "type": "image"}
_INVOICE: Json = {
    "prunedResult": {
        "width": 1654,
        "height": 2339,
        "parsing_res_list": [_block(0, "doc_title", "INVOICE", [128, 111, 436, 190], 1)],
    },
    "markdown": {"text": "# INVOICE", "images": {}},
}
_PAPER: Json = {
    "prunedResult": {
        "width": 1190,
        "height": 1684,
        "parsing_res_list": [_block(0, "header", "J. Arden, M. Okafor and L. Brandt", [465, 69, 725, 92])],
    },
    "markdown": {"text": "## 3 A Formula for Gardeners", "images": {}},
}
_PAPER_INFO = {
    "numPages": 1,
    "totalPages": 3,
    "pages": [{"width": 1190, "height": 1684}],
    "type": "pdf",
    "renderScale": 2.0,
}

_JOINED = (
    "<table><tr><td>year</td><td>tons</td></tr><tr><td>2023</td><td>41</td></tr>"
    "<tr><td>2024</td><td>44</td></tr></table>"
)
_SETTINGS = {"use_layout_detection": True}
_TABLES = [
    f"<table><tr><td>year</td><td>tons</td></tr><tr><td>{year}</td><td>{tons}</td></tr></table>"
    for year, tons in ((2023, 41), (2024, 44))
]


def _page(*blocks: tuple[str, str, list[int]]) -> Json:
    return {
        "prunedResult": {
            "width": 1190,
            "height": 1684,
            "model_settings": _SETTINGS,
            "parsing_res_list": [
                {"block_label": label, "block_content": content, "block_bbox": bbox}
                for label, content, bbox in blocks
            ],
        }
    }


_PAGES = {
    "pages": [
        _page(("doc_title", "Harvest", [300, 90, 890, 150]), ("table", _TABLES[0], [120, 1200, 1070, 1600])),
        _page(("table", _TABLES[1], [120, 90, 1070, 300])),
    ],
    "concatenatePages": True,
    "prettifyMarkdown": False,
}
_ONE_DOCUMENT: Json = {
    "prunedResult": {
        "page_count": 2,
        "width": 1190,
        "height": 1684,
        "model_settings": {
            "use_doc_preprocessor": False,
            "use_layout_detection": True,
            "markdown_ignore_labels": [],
        },
        "parsing_res_list": [
            _block(0, "doc_title", "Harvest", [300, 90, 890, 150], 1, global_block_id=0, global_group_id=0),
            _block(1, "table", _JOINED, [120, 1200, 1070, 1600], global_block_id=1, global_group_id=1),
            _block(2, "table", "", [120, 90, 1070, 300], global_block_id=2, global_group_id=1),
        ],
    },
    "markdown": {"text": f"# Harvest\n\n\n\n{_JOINED}\n\n\n\n", "images": {}},
}

EXAMPLES: dict[tuple[str, str], tuple[Example, ...]] = {
    ("post", "/layout-parsing"): (
        Example(
            "A file as it is, in a form. Of the answer one region is shown.",
            "curl -s localhost:8080/layout-parsing -F file=@examples/invoice.png -F visualize=false",
            (_success({"layoutParsingResults": [_INVOICE], "dataInfo": _IMAGE_INFO}),),
        ),
        Example(
            "The file as base64 in JSON, as PaddleOCR's clients send it; one page of three.",
            'printf \'{"file": "%s", "fileType": 0, "pageRanges": "2", "visualize": false}\' '
            '"$(base64 -w0 examples/paper.pdf)" |\n'
            "  curl -s localhost:8080/layout-parsing -H 'Content-Type: application/json' -d @-",
            (_success({"layoutParsingResults": [_PAPER], "dataInfo": _PAPER_INFO}),),
        ),
        Example(
            "Each page as soon as it is done, one JSON object a line.",
            "curl -sN localhost:8080/layout-parsing -H 'Accept: application/x-ndjson' \\\n"
            "  -F file=@examples/paper.pdf -F pageRanges=2 -F visualize=false",
            (
                {"type": "document", "logId": LOG_ID, "dataInfo": _PAPER_INFO},
                {"type": "page", "index": 0, "result": _PAPER},
                {
                    "type": "summary",
                    "logId": LOG_ID,
                    "errorCode": 0,
                    "errorMsg": "Success",
                    "dataInfo": _PAPER_INFO,
                },
            ),
        ),
        Example(
            "With a key, to a service that asks for one; and with a mistake.",
            "curl -s localhost:8080/layout-parsing -H 'Authorization: Bearer KEY' "
            "-F file=@examples/invoice.png -F topP=2",
            (
                {
                    "logId": LOG_ID,
                    "errorCode": 422,
                    "errorMsg": "`topP` is not valid: input should be less than or equal to 1.",
                },
            ),
        ),
    ),
    ("post", "/restructure-pages"): (
        Example(
            "Two pages of a table, as /layout-parsing answered them, made one.",
            "curl -s localhost:8080/restructure-pages -H 'Content-Type: application/json' -d '"
            + show(_PAGES)
            + "'",
            (_success({"layoutParsingResults": [_ONE_DOCUMENT]}),),
        ),
    ),
    ("get", "/health"): (
        Example(
            "While the process lives.",
            "curl -s localhost:8080/health",
            ({"logId": LOG_ID, "errorCode": 0, "errorMsg": "Healthy"},),
        ),
    ),
    ("get", "/health/ready"): (
        Example(
            "With every tier ready.",
            "curl -s localhost:8080/health/ready",
            ({"logId": LOG_ID, "errorCode": 0, "errorMsg": "Ready"},),
        ),
    ),
}
