"""PaddleOCR's own programs, unmodified, before a vLLM that our command has started."""

import pytest

from tests.clients.environments import IndexUnreachable, client_environment
from tests.clients.paddleocr_tools import PaddleOcrTools, contents
from tests.vllm.conftest import SCRIPTS
from tests.vllm.document import document, picture_page

TABLE = "<table><tr><td>Item</td><td>Qty</td></tr><tr><td>Bolt</td><td>12</td></tr></table>"


@pytest.fixture(scope="module")
def tools(vllm, tmp_path_factory) -> PaddleOcrTools:
    try:
        bin_folder = client_environment("paddleocr")
    except IndexUnreachable as error:
        pytest.skip(str(error))
    tools = PaddleOcrTools(bin_folder, tmp_path_factory.mktemp("paddleocr"), vllm.url)
    tools.write_layout_model()
    return tools


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "document.pdf"
    path.write_bytes(document("white", "yellow"))
    return path


def check(pages: list[dict]) -> None:
    first, second = (contents(page) for page in pages)
    assert first["text"] == SCRIPTS["OCR:"]["white"]
    assert first["table"] == TABLE
    assert "E = m c^{2}" in first["display_formula"]
    assert second["text"] == SCRIPTS["OCR:"]["yellow"]
    assert 'colspan="2"' in second["table"]
    assert "\\frac{a}{b}" in second["display_formula"]


def test_doc_parser_says_exactly_what_the_model_said(tools, pdf):
    pages = tools.doc_parser(pdf, **tools.layout_options)
    check(pages)
    assert SCRIPTS["OCR:"]["yellow"] in pages[1]["markdown"]


def test_doc_parser_of_the_newest_model_reads_whole_pages_without_layout_detection(tools, tmp_path):
    path = tmp_path / "cyan.pdf"
    path.write_bytes(picture_page("cyan"))
    (page,) = tools.doc_parser(path, use_layout_detection=False, prompt_label="ocr")
    assert contents(page)["ocr"] == SCRIPTS["OCR:"]["cyan"]


def test_the_pipeline_in_a_program_says_exactly_what_the_model_said(tools, pdf):
    check(tools.pipeline(pdf, **tools.layout_options))


def test_paddlexs_service_says_exactly_what_the_model_said(tools, pdf):
    with tools.serving() as url:
        check(tools.ask(url, pdf))
