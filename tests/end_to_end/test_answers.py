"""The forms in which a document can be sent and its pages come back."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.conftest import EXAMPLES
from tests.samples import image_bytes, pdf_bytes

PAPER = EXAMPLES / "paper.pdf"
SCAN = EXAMPLES / "scan.jpg"


def test_an_image_comes_back_as_the_contract_says(client):
    answer = client.post("/layout-parsing", json={"file": base64.b64encode(SCAN.read_bytes()).decode()})
    body = answer.json()
    assert (body["errorCode"], body["errorMsg"]) == (0, "Success")
    info = body["result"]["dataInfo"]
    (page,) = body["result"]["layoutParsingResults"]
    assert info["type"] == "image"
    assert (info["width"], info["height"]) == (page["prunedResult"]["width"], page["prunedResult"]["height"])
    assert set(page) == {"prunedResult", "markdown", "outputImages", "inputImage"}
    assert set(page["outputImages"]) == {"layout_det_res"}
    assert page["markdown"]["text"].startswith("# Minutes of the Spring Meeting")
    block = page["prunedResult"]["parsing_res_list"][0]
    assert {"block_label", "block_content", "block_bbox", "block_id", "block_order", "group_id"} <= set(block)


def test_a_page_range_parses_those_pages_and_says_how_many_there_are(client):
    body = {"file": base64.b64encode(PAPER.read_bytes()).decode(), "pageRanges": "3", "visualize": False}
    result = client.post("/layout-parsing", json=body).json()["result"]
    assert (result["dataInfo"]["numPages"], result["dataInfo"]["totalPages"]) == (1, 3)
    assert "Conclusion" in result["layoutParsingResults"][0]["markdown"]["text"]


def test_every_block_of_the_paper_says_that_it_was_read_well(client):
    body = {"file": base64.b64encode(PAPER.read_bytes()).decode(), "visualize": False}
    pages = client.post("/layout-parsing", json=body).json()["result"]["layoutParsingResults"]
    blocks = [block for page in pages for block in page["prunedResult"]["parsing_res_list"]]
    said = [block.get("block_recognition") for block in blocks if block["block_content"]]
    assert len(said) > 20
    assert all(each == {"finish_reason": "stop", "retries": 0, "suspect": False} for each in said)
    assert not any("warnings" in page for page in pages)


@pytest.mark.parametrize("label", ["ocr", "table", "formula", "chart", "seal", "spotting"])
def test_a_page_can_be_read_as_one_region_of_any_kind(client, label):
    """The engine on the CPU reads lines and tables; the others it reads as lines."""
    file = base64.b64encode(SCAN.read_bytes()).decode()
    body = {"file": file, "useLayoutDetection": False, "promptLabel": label, "maxNewTokens": 300}
    answer = client.post("/layout-parsing", json=body)
    assert answer.status_code == 200, answer.text
    (page,) = answer.json()["result"]["layoutParsingResults"]
    (block,) = page["prunedResult"]["parsing_res_list"]
    assert block["block_label"] == label
    assert block["block_recognition"]["finish_reason"] != "error"
    assert "Spring" in json.dumps(page["prunedResult"])
    assert list(page["outputImages"]) == (["spotting_res_img"] if label == "spotting" else [])


def test_the_text_in_a_picture_is_read_where_it_is_asked_for(client):
    file = base64.b64encode(PAPER.read_bytes()).decode()

    def read_pictures(**options):
        answer = client.post("/layout-parsing", json={"file": file, "visualize": False, **options})
        pages = answer.json()["result"]["layoutParsingResults"]
        blocks = [block for page in pages for block in page["prunedResult"]["parsing_res_list"]]
        return [block.get("block_recognition") for block in blocks if block["block_label"] == "image"]

    assert set(map(bool, read_pictures())) == {False}
    assert set(map(bool, read_pictures(useOcrForImageBlock=True))) == {True}


def test_a_file_can_be_uploaded_as_it_is(client):
    with SCAN.open("rb") as file:
        answer = client.post("/layout-parsing", files={"file": file}, data={"visualize": "false"})
    (page,) = answer.json()["result"]["layoutParsingResults"]
    assert "Spring Meeting" in page["markdown"]["text"]
    assert "inputImage" not in page


def test_a_data_url_is_a_document(client):
    url = "data:image/png;base64," + base64.b64encode(image_bytes("png")).decode()
    assert client.post("/layout-parsing", json={"file": url}).status_code == 200


@pytest.mark.parametrize("kind", ["jpeg", "tiff", "webp", "bmp", "gif"])
def test_every_image_format_is_found_by_its_bytes(client, kind):
    body = {"file": base64.b64encode(image_bytes(kind)).decode()}
    answer = client.post("/layout-parsing", json=body)
    assert answer.json()["result"]["dataInfo"]["type"] == "image"


def test_pages_are_streamed_as_they_are_done(client):
    body = {"file": base64.b64encode(PAPER.read_bytes()).decode(), "visualize": False}
    with client.stream(
        "POST", "/layout-parsing", json=body, headers={"Accept": "application/x-ndjson"}
    ) as answer:
        events = [json.loads(line) for line in answer.iter_lines()]
    assert [event["type"] for event in events] == ["document", "page", "page", "page", "summary"]
    assert events[0]["dataInfo"]["numPages"] == 3
    assert sorted(event["index"] for event in events[1:4]) == [0, 1, 2]
    assert events[4]["errorCode"] == 0


def test_a_short_document_does_not_wait_for_a_long_one(client):
    """The long one was sent first and has forty pages; the short one's answer comes before its end."""
    long = {"file": base64.b64encode(pdf_bytes(40)).decode(), "visualize": False}
    short = {"file": base64.b64encode(image_bytes("png")).decode(), "visualize": False}
    order: list[str] = []
    begun = threading.Event()

    def stream_long() -> None:
        with client.stream(
            "POST", "/layout-parsing", json=long, headers={"Accept": "application/x-ndjson"}
        ) as answer:
            for line in answer.iter_lines():
                order.append(json.loads(line)["type"])
                begun.set()

    with ThreadPoolExecutor(1) as threads:
        streaming = threads.submit(stream_long)
        assert begun.wait(60)
        assert client.post("/layout-parsing", json=short).status_code == 200
        order.append("short answer")
        streaming.result()
    assert order[-1] == "summary"
    assert order.index("short answer") < len(order) - 2
