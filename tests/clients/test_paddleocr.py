"""PaddleOCR's own programs before our VLM server, as before PaddleOCR's: the topology of two containers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.settings import free_ports
from tests.clients.conftest import ROOT
from tests.clients.form import CELLS, SENTENCES, form_pdf, form_png
from tests.clients.paddleocr_tools import PaddleOcrTools, contents


@pytest.fixture(scope="module")
def vlm_url(tmp_path_factory) -> Iterator[str]:
    """An embedded VLM server alone: no gateway, no Triton."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "vlm_server", "--engine", "embedded", "--port", str(port)]
    with (tmp_path_factory.mktemp("vlm") / "vlm.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        transport = httpx.HTTPTransport(retries=10)  # refused connections only, with growing pauses
        with httpx.Client(transport=transport, timeout=60) as client:
            assert client.get(f"http://127.0.0.1:{port}/health").status_code == 200
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def tools(client_bin, tmp_path_factory, vlm_url) -> PaddleOcrTools:
    tools = PaddleOcrTools(client_bin("paddleocr"), tmp_path_factory.mktemp("paddleocr"), vlm_url)
    tools.write_layout_model()
    return tools


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    made = {"png": folder / "form.png", "pdf": folder / "form.pdf"}
    made["png"].write_bytes(form_png())
    made["pdf"].write_bytes(form_pdf())
    return made


TABLE = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in CELLS)


def check(page: dict) -> None:
    read = contents(page)
    assert read["text"] == " ".join(SENTENCES)
    assert read["table"] == f"<table>{TABLE}</table>"
    assert "E = m c" in read["display_formula"]


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_doc_parser_reads_a_page_with_our_server(tools, files, kind):
    (page,) = tools.doc_parser(files[kind], **tools.layout_options)
    check(page)
    assert SENTENCES[0] in page["markdown"]
    assert "Washer" in page["markdown"]


def test_doc_parser_of_the_newest_model_reads_a_whole_page_without_layout_detection(tools, files):
    (page,) = tools.doc_parser(files["png"], use_layout_detection=False, prompt_label="ocr")
    assert SENTENCES[0] in contents(page)["ocr"]


def test_the_pipeline_in_a_program_reads_a_page_with_our_server(tools, files):
    (page,) = tools.pipeline(files["png"], **tools.layout_options)
    check(page)


def test_paddlexs_service_reads_a_page_with_our_server(tools, files):
    with tools.serving() as url:
        for kind in ("png", "pdf"):
            (page,) = tools.ask(url, files[kind])
            check(page)
