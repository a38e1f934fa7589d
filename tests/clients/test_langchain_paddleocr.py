"""langchain-paddleocr's loader, which checks every whole `result` by PaddleX 3.4's schema."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.answers import image_sources, picture
from tests.clients.conftest import EXAMPLES, KEY, run_program

SCAN = EXAMPLES / "scan.jpg"
PAPER = EXAMPLES / "paper.pdf"


@pytest.fixture
def load(client_bin, url) -> Callable[..., list[dict[str, Any]]]:
    bin_folder = client_bin("langchain-paddleocr")

    def run(*files: Path | str, **options: Any) -> list[dict[str, Any]]:
        options = {"api_url": f"{url}/layout-parsing", "timeout": 120, **options}
        order = {"files": [str(file) for file in files], "options": options}
        return run_program(bin_folder / "python", "langchain_load.py", order)

    return run


def pages(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document["metadata"]["paddleocr_vl_raw_response"]["result"]["layoutParsingResults"]


def test_an_image_and_a_pdf_of_several_pages_load_and_a_token_does_no_harm(load):
    scan, paper = load(SCAN, PAPER, access_token="nobody asked for one")
    assert scan["text"].startswith("# Minutes of the Spring Meeting")
    assert scan["metadata"]["source"] == str(SCAN)
    assert len(paper["text"].split("\n\f")) == len(pages(paper)) == 3
    assert "Conclusion" in paper["text"]
    sources = image_sources(paper["text"])
    images = {key: value for page in pages(paper) for key, value in page["markdown"]["images"].items()}
    assert sorted(sources) == sorted(images)
    assert all(picture(value).size for value in images.values())


def test_page_and_drawn_regions_come_by_default_and_stay_away_when_told(load):
    (default,) = load(SCAN)
    (page,) = pages(default)
    assert picture(page["inputImage"]).size == picture(page["outputImages"]["layout_det_res"]).size
    (told,) = load(SCAN, visualize=False)
    assert not {"inputImage", "outputImages"} & set(pages(told)[0])


def test_every_option_of_the_loader_is_taken(load):
    options: dict[str, Any] = {
        "file_type": "image",
        "use_layout_detection": True,
        "use_chart_recognition": True,
        "use_seal_recognition": True,
        "use_ocr_for_image_block": True,
        "layout_threshold": {"22": 0.3},
        "layout_nms": True,
        "layout_unclip_ratio": 1.05,
        "layout_merge_bboxes_mode": "union",
        "layout_shape_mode": "rect",
        "prompt_label": "ocr",
        "format_block_content": True,
        "repetition_penalty": 1.0,
        "temperature": 0.0,
        "top_p": 1.0,
        "min_pixels": 112896,
        "max_pixels": 1003520,
        "max_new_tokens": 2048,
        "merge_layout_blocks": False,
        "markdown_ignore_labels": ["header", "footer"],
        "vlm_extra_args": {"table_max_pixels": 900000},
        "prettify_markdown": False,
        "show_formula_number": True,
        "restructure_pages": True,
        "merge_tables": True,
        "relevel_titles": True,
        "visualize": False,
    }
    (document,) = load(SCAN, **options)
    assert "Minutes of the Spring Meeting" in document["text"]


def test_an_address_is_fetched_by_the_service(load, web):
    (document,) = load(web("/scan.jpg", SCAN.read_bytes()))
    assert "Spring Meeting" in document["text"]


def test_its_token_is_the_key_of_a_service_that_asks_for_one(load, keyed_url):
    (document,) = load(SCAN, api_url=f"{keyed_url}/layout-parsing", access_token=KEY)
    assert "Spring Meeting" in document["text"]
    with pytest.raises(AssertionError, match=r"Failed to call PaddleOCR-VL API: 40[13] Client Error"):
        load(SCAN, api_url=f"{keyed_url}/layout-parsing")
