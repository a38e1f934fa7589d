"""Clients that nobody named: the requests of theirs that a service is likeliest to fail."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from pydantic import BaseModel, ConfigDict

from tests.clients.conftest import EXAMPLES

SCAN = EXAMPLES / "scan.jpg"
ENCODED = base64.b64encode(SCAN.read_bytes()).decode()


def text_of(answer: dict[str, Any]) -> str:
    return "\n".join(page["markdown"]["text"] for page in answer["result"]["layoutParsingResults"])


def test_open_webui_reads_pages_by_extension_with_a_token(url):
    """Its address may end in a slash; every extension but those of images is sent as a PDF."""
    body = {
        "file": ENCODED,
        "fileType": 1,
        "useDocOrientationClassify": False,
        "useDocUnwarping": False,
        "useChartRecognition": False,
    }
    headers = {"Authorization": "token secret", "Content-Type": "application/json"}
    answer = requests.post(
        f"{(url + '/').rstrip('/')}/layout-parsing", json=body, headers=headers, timeout=120
    )
    answer.raise_for_status()
    assert "Spring Meeting" in text_of(answer.json())


def test_open_webui_learns_why_a_text_file_was_refused(url):
    body = {"file": base64.b64encode(b"# Notes").decode(), "fileType": 0}
    answer = requests.post(f"{url}/layout-parsing", json=body, timeout=30)
    assert answer.status_code == 422
    assert "must be a PDF, PNG" in answer.json()["errorMsg"]


def test_cherry_studio_sends_an_option_of_another_pipeline_and_wants_success_in_words(url):
    body = {
        "file": base64.b64encode((EXAMPLES / "paper.pdf").read_bytes()).decode(),
        "fileType": 0,
        "useDocOrientationClassify": False,
        "useDocUnwarping": False,
        "useTextlineOrientation": False,
        "useChartRecognition": False,
    }
    answer = requests.post(f"{url}/layout-parsing", json=body, timeout=120).json()
    assert "success" in answer["errorMsg"].lower()
    assert answer["result"]["layoutParsingResults"]


class CsghubBlock(BaseModel):
    model_config = ConfigDict(strict=True)
    block_content: str


class CsghubPruned(BaseModel):
    model_config = ConfigDict(strict=True)
    parsing_res_list: list[CsghubBlock]


def test_csghub_wants_texts_and_blocks_on_every_page_and_no_pictures(url):
    body = {"file": ENCODED, "fileType": 1, "visualize": False, "returnMarkdownImages": False}
    answer = requests.post(f"{url}/layout-parsing", json=body, timeout=120).json()
    for page in answer["result"]["layoutParsingResults"]:
        assert isinstance(page["markdown"]["text"], str)
        assert CsghubPruned.model_validate(page["prunedResult"]).parsing_res_list
        assert not {"inputImage", "outputImages"} & set(page)


def test_the_official_skill_sends_addresses_without_a_file_type(url, web):
    address = web("/scan", SCAN.read_bytes())
    headers = {"Authorization": "token t", "Client-Platform": "official-skill"}
    answer = httpx.post(f"{url}/layout-parsing", json={"file": address}, headers=headers, timeout=120)
    assert answer.status_code == 200
    assert answer.json().get("errorCode", 0) == 0


def test_n8n_sends_its_accept_header_and_json(url):
    """An Accept header that names many types, lines of JSON not among them, is for the whole answer."""
    headers = {
        "Accept": "application/json,text/html,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7",
        "Content-Type": "application/json",
    }
    answer = requests.post(
        f"{url}/layout-parsing", data=json.dumps({"file": ENCODED}), headers=headers, timeout=120
    )
    assert answer.headers["Content-Type"] == "application/json"
    assert "Spring Meeting" in text_of(answer.json())


def test_a_body_without_a_length_is_read(url):
    """As Go and Node send it from a stream."""

    def pieces() -> Iterator[bytes]:
        body = json.dumps({"file": ENCODED, "visualize": False}).encode()
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = httpx.post(f"{url}/layout-parsing", content=pieces(), headers=headers, timeout=120)
    assert "Spring Meeting" in text_of(answer.json())


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_base64_in_lines_is_read(url, line):
    """As base64(1), Java's MIME encoder and PHP's chunk_split write it."""
    lines = line.join(ENCODED[start : start + 76] for start in range(0, len(ENCODED), 76)) + line
    answer = httpx.post(f"{url}/layout-parsing", json={"file": lines, "visualize": False}, timeout=120)
    assert "Spring Meeting" in text_of(answer.json())


def test_clients_that_know_only_the_health_of_the_service_find_it(url):
    for path in ("/health", "/health/ready"):
        answer = httpx.get(url + path, timeout=10).json()
        assert (answer["errorCode"], bool(answer["logId"])) == (0, True)


def test_clients_that_ask_twice_hand_the_pages_back_to_be_joined(url):
    """First /layout-parsing, then /restructure-pages with what came: the pictures travel along."""
    file = base64.b64encode((EXAMPLES / "paper.pdf").read_bytes()).decode()
    first = requests.post(f"{url}/layout-parsing", json={"file": file, "fileType": 0}, timeout=120).json()
    pages = first["result"]["layoutParsingResults"]
    body = {
        "pages": [
            {"prunedResult": page["prunedResult"], "markdownImages": page["markdown"]["images"]}
            for page in pages
        ],
        "concatenatePages": True,
    }
    answer = requests.post(f"{url}/restructure-pages", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    (joined,) = answer.json()["result"]["layoutParsingResults"]
    assert "Conclusion" in joined["markdown"]["text"]
    assert sorted(joined["markdown"]["images"]) == sorted(
        key for page in pages for key in page["markdown"]["images"]
    )
