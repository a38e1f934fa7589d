"""What the examples really say comes out of the three real tiers."""

import base64
import functools
from typing import Any

import httpx
import pytest

from tests.end_to_end.conftest import EXAMPLES
from tests.end_to_end.reading import (
    character_error_rate,
    overlap,
    plain,
    read_text,
    table_rows,
    true_pages,
    true_text,
)

FILES = {"paper": "paper.pdf", "invoice": "invoice.png", "chinese": "chinese.png", "scan": "scan.jpg"}
PAGES = [(name, number) for name in FILES for number in range(len(true_pages(name)))]


@functools.cache
def parse(url: str, name: str) -> list[dict[str, Any]]:
    """Each example is parsed once for all tests of this file."""
    body = {"file": base64.b64encode((EXAMPLES / FILES[name]).read_bytes()).decode(), "visualize": False}
    answer = httpx.post(f"{url}/layout-parsing", json=body, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["layoutParsingResults"]


@pytest.mark.parametrize(("name", "number"), PAGES)
def test_at_most_one_character_in_a_hundred_is_wrong(stack, name, number):
    read, true = read_text(parse(stack.url, name)[number]), true_text(true_pages(name)[number])
    assert character_error_rate(read, true) <= 0.01


@pytest.mark.parametrize(("name", "number"), [page for page in PAGES if page[0] == "paper"])
def test_three_quarters_of_the_regions_of_the_paper_are_found_with_their_label(stack, name, number):
    blocks = parse(stack.url, name)[number]["prunedResult"]["layout_det_res"]["boxes"]
    regions = true_pages(name)[number]["regions"]
    found = [
        any(
            block["label"] in names_of(region["label"]) and overlap(block["coordinate"], region["box"]) >= 0.5
            for block in blocks
        )
        for region in regions
    ]
    assert sum(found) >= 0.75 * len(regions)


def names_of(label: str) -> set[str]:
    """A reference list is one region; PaddleOCR has one name for the list and one for what it holds."""
    return {"reference", "reference_content"} if label.startswith("reference") else {label}


@pytest.mark.parametrize(("name", "number"), [page for page in PAGES if page[0] == "paper"])
def test_the_columns_of_the_paper_are_read_one_after_the_other(stack, name, number):
    regions = sorted(true_pages(name)[number]["regions"], key=lambda region: region["order"])
    texts = [plain(region["text"]) for region in regions if region["label"] == "text"]
    read = plain(read_text(parse(stack.url, name)[number]))
    # The last words of a paragraph: its first may be those of another.
    places = [read.find(text[-20:]) for text in texts]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(("name", "number"), PAGES)
def test_every_cell_of_a_clean_table_is_exact(stack, name, number):
    true = [region for region in true_pages(name)[number]["regions"] if region.get("rows")]
    blocks = parse(stack.url, name)[number]["prunedResult"]["parsing_res_list"]
    read = [table_rows(block["block_content"]) for block in blocks if block["block_label"] == "table"]
    assert read == [[[plain(cell) for cell in row] for row in region["rows"]] for region in true]


def test_figures_of_the_paper_come_as_pictures_under_the_names_in_the_text(stack):
    pages = parse(stack.url, "paper")
    images = {key: image for page in pages for key, image in page["markdown"]["images"].items()}
    assert len(images) == sum(
        region["label"] in {"image", "chart"} for page in true_pages("paper") for region in page["regions"]
    )
    text = "".join(page["markdown"]["text"] for page in pages)
    for key, image in images.items():
        assert f'src="{key}"' in text
        assert base64.b64decode(image).startswith(b"\xff\xd8")
