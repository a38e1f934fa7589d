"""paddleocr-mcp, self-hosted, over stdio, with the environment variables that its users set."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.answers import picture
from tests.clients.conftest import EXAMPLES, run_program
from tests.samples import image_bytes

INVOICE = EXAMPLES / "invoice.png"
PAPER = EXAMPLES / "paper.pdf"


@pytest.fixture
def session(client_bin, url) -> Callable[..., dict[str, Any]]:
    bin_folder = client_bin("paddleocr-mcp")

    def run(*calls: dict[str, Any], model: str = "PaddleOCR-VL") -> dict[str, Any]:
        environment = {
            "PADDLEOCR_MCP_MODEL": model,
            "PADDLEOCR_MCP_PPOCR_SOURCE": "self_hosted",
            "PADDLEOCR_MCP_SELF_HOSTED_BASE_URL": url,
        }
        order = {
            "command": str(bin_folder / "paddleocr_mcp"),
            "environment": environment,
            "calls": list(calls),
        }
        return run_program(bin_folder / "python", "mcp_session.py", order)

    return run


def texts(answer: dict[str, Any]) -> str:
    assert not answer["is_error"], answer["content"]
    return "".join(item["text"] for item in answer["content"] if item["type"] == "text")


def pictures(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in answer["content"] if item["type"] == "image"]


@pytest.mark.parametrize("model", ["PaddleOCR-VL", "PaddleOCR-VL-1.6"])
def test_an_image_is_read_with_and_without_a_file_type(session, model):
    said = session(
        {"input_data": str(INVOICE)}, {"input_data": str(INVOICE), "file_type": "image"}, model=model
    )
    assert said["tools"] == ["paddleocr_vl"]
    without, with_type = map(texts, said["answers"])
    assert "INVOICE" in without
    assert without == with_type


def test_a_pdf_is_read_with_and_without_a_file_type_and_its_pictures_come_along(session):
    call = {"input_data": str(PAPER), "output_mode": "detailed"}
    without, with_type = session(call, {**call, "file_type": "pdf"})["answers"]
    assert without == with_type
    assert "Abstract" in texts(without)
    assert "Conclusion" in texts(without)
    assert "Pages: 3" in texts(without)
    assert [item["mime_type"] for item in pictures(without)] == ["image/jpeg"] * 2
    assert all(min(picture(item["data"]).size) > 100 for item in pictures(without))


def test_base64_and_data_urls_need_no_file_type(session):
    encoded = base64.b64encode(INVOICE.read_bytes()).decode()
    answers = session({"input_data": encoded}, {"input_data": f"data:image/png;base64,{encoded}"})["answers"]
    assert all("INVOICE" in text for text in map(texts, answers))


def test_an_address_is_fetched_by_the_service(session, web):
    answer = session({"input_data": web("/files/invoice", INVOICE.read_bytes())})["answers"][0]
    assert "INVOICE" in texts(answer)


def test_an_empty_page_is_an_answer_and_not_an_error(session):
    encoded = base64.b64encode(image_bytes("png", (600, 400), colour="white")).decode()
    assert "No document content detected" in texts(session({"input_data": encoded})["answers"][0])


def test_options_of_the_tool_reach_the_service(session):
    options = {
        "use_layout_detection": False,
        "prompt_label": "ocr",
        "max_new_tokens": 2000,
        "min_pixels": 100000,
        "temperature": 0.0,
        "markdown_ignore_labels": ["number"],
    }
    answer = session({"input_data": str(INVOICE), "runtime_params": options})["answers"][0]
    assert "#" not in texts(answer).split("INVOICE")[0]


def test_a_wrong_file_type_is_an_error_and_the_session_goes_on(session):
    wrong, right = session({"input_data": str(INVOICE), "file_type": "pdf"}, {"input_data": str(INVOICE)})[
        "answers"
    ]
    assert wrong["is_error"]
    assert "INVOICE" in texts(right)
