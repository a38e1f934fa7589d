"""WeKnora's PaddleOCR-VL reader, a Go program: its options, and its decoding into types that do not bend."""

import base64
from typing import Any

import pytest
import requests
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from tests.clients.answers import picture
from tests.clients.conftest import EXAMPLES
from tests.samples import image_bytes

OPTIONS: dict[str, Any] = {
    "markdownIgnoreLabels": [
        "header",
        "header_image",
        "footer",
        "footer_image",
        "number",
        "footnote",
        "aside_text",
    ],
    "useDocOrientationClassify": False,
    "useDocUnwarping": False,
    "useLayoutDetection": True,
    "useChartRecognition": False,
    "useSealRecognition": True,
    "useOcrForImageBlock": False,
    "mergeTables": True,
    "relevelTitles": True,
    "restructurePages": True,
    "layoutShapeMode": "auto",
    "promptLabel": "ocr",
    "layoutNms": True,
    "repetitionPenalty": 1,
    "temperature": 0,
    "topP": 1,
    "minPixels": 147384,
    "maxPixels": 2822400,
    "visualize": False,
}


class GoStruct(BaseModel):
    """Go refuses a string for a number and the other way round; fields that it does not name it skips."""

    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


class Markdown(GoStruct):
    text: str
    images: dict[str, str]


class Page(GoStruct):
    markdown: Markdown


class Result(GoStruct):
    layout_parsing_results: list[Page]


class Answer(GoStruct):
    error_code: int
    error_msg: str
    result: Result | None = None


def read(url: str, content: bytes, file_type: int, *, status: int = 200) -> Answer:
    body = {"file": base64.b64encode(content).decode("ascii"), "fileType": file_type, **OPTIONS}
    answer = requests.post(f"{url}/layout-parsing", json=body, timeout=120)
    assert answer.status_code == status, answer.text
    return Answer.model_validate_json(answer.content)


def test_its_ping_finds_a_service(url):
    assert requests.get(f"{url}/layout-parsing", timeout=5).status_code < 500


def test_a_pdf_with_its_options_comes_back_with_pictures_that_decode(url):
    answer = read(url, (EXAMPLES / "paper.pdf").read_bytes(), 0)
    assert answer.error_code == 0
    assert answer.result is not None
    text = "\n\n".join(page.markdown.text for page in answer.result.layout_parsing_results)
    images = {
        key: value
        for page in answer.result.layout_parsing_results
        for key, value in page.markdown.images.items()
    }
    assert "Garden Pond" in text
    assert len(images) == 2
    for reference, encoded in images.items():
        assert reference in text
        assert picture(encoded).format == "JPEG"


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_blank_image_has_a_text_and_no_pictures_of_the_same_types(url, kind):
    answer = read(url, image_bytes(kind, (600, 400), colour="white"), 1)
    assert answer.result is not None
    assert [page.markdown.images for page in answer.result.layout_parsing_results] == [{}]


def test_an_error_decodes_too_and_has_a_message(url):
    answer = read(url, b"%PDF-1.7 and no more", 0, status=422)
    assert answer.error_code == 422
    assert answer.error_msg
