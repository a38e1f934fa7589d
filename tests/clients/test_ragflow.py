"""RAGFlow's PaddleOCR parser: what it sends to a self-hosted service, and how it cuts the answer into sections."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
import requests

from tests.clients.conftest import EXAMPLES, KEY

PAPER = EXAMPLES / "paper.pdf"
HEADERS = {"Client-Platform": "ragflow", "Authorization": f"Bearer {KEY}"}
OPTIONS = {
    "returnMarkdownImages": False,
    "prettifyMarkdown": True,
    "showFormulaNumber": True,
    "visualize": False,
    "useDocOrientationClassify": False,
    "useDocUnwarping": False,
    "formatBlockContent": True,
    "mergeLayoutBlocks": False,
    "restructurePages": False,
}
PICTURES = re.compile(r"<div[^>]*>\s*<img[^>]*/>\s*</div>|<img[^>]*/>", re.IGNORECASE | re.DOTALL)
# It takes boxes for those of 144 dpi and halves them, to cut them out of pages of 72 dpi.
ZOOM = 2


def parse(url: str, content: bytes, **options: Any) -> dict[str, Any]:
    body = {
        "file": base64.b64encode(content).decode("ascii"),
        "fileType": 0 if content.startswith(b"%PDF") else 1,
        **OPTIONS,
        **options,
    }
    answer = requests.post(f"{url}/layout-parsing", json=body, headers=HEADERS, timeout=120)
    assert answer.status_code == 200, answer.text
    assert not answer.json().get("errorCode")
    return answer.json()["result"]


def sections(result: dict[str, Any]) -> Iterator[tuple[int, str, str, list[float]]]:
    """Page, label, text and halved box of every block that has text."""
    for number, page in enumerate(result["layoutParsingResults"]):
        for block in page["prunedResult"]["parsing_res_list"]:
            text = PICTURES.sub("", block["block_content"]).strip()
            if text:
                yield number, block["block_label"], text, [edge // ZOOM for edge in block["block_bbox"]]


def test_its_probe_is_answered_at_once(url):
    answer = requests.get(f"{url}/layout-parsing", headers=HEADERS, timeout=10)
    assert answer.status_code == 405
    assert answer.json()["errorCode"] == 405


def test_where_a_key_is_needed_its_bearer_is_let_in_and_its_probe_needs_none(keyed_url):
    assert requests.get(f"{keyed_url}/layout-parsing", timeout=10).status_code == 405
    assert parse(keyed_url, (EXAMPLES / "scan.jpg").read_bytes())["layoutParsingResults"]


@pytest.fixture(scope="module")
def paper(stack) -> dict[str, Any]:
    return parse(stack.url, PAPER.read_bytes())


def test_blocks_have_text_that_is_never_null_and_pages_have_no_pictures(paper):
    blocks = [
        block for page in paper["layoutParsingResults"] for block in page["prunedResult"]["parsing_res_list"]
    ]
    assert all(isinstance(block["block_content"], str) for block in blocks)
    assert all(isinstance(block["block_label"], str) for block in blocks)
    assert all("images" not in page["markdown"] for page in paper["layoutParsingResults"])
    assert any(label == "table" and "<table" in text for _, label, text, _ in sections(paper))


def test_halved_boxes_lie_inside_the_pages_at_72_dpi_and_hold_their_texts(paper):
    """The text that the PDF itself has within such a box begins with the words that were read there."""
    held = 0
    with pypdfium2.PdfDocument(PAPER) as document:
        for number, label, text, (left, top, right, bottom) in sections(paper):
            page = document[number]
            width, height = page.get_size()
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            if label == "text":
                inside = page.get_textpage().get_text_bounded(
                    left - 1, height - bottom - 1, right + 1, height - top + 1
                )
                held += text.split()[0] in inside and text.split()[-1] in inside.replace("\r\n", " ")
    texts = [label for _, label, _, _ in sections(paper)].count("text")
    assert held >= 0.9 * texts


def test_an_image_becomes_text(url):
    result = parse(url, (EXAMPLES / "scan.jpg").read_bytes())
    assert "Spring Meeting" in "\n".join(text for _, _, text, _ in sections(result))
