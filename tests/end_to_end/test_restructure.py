"""Answers of /layout-parsing sent back to /restructure-pages, through the real tiers."""

import base64
import io
import time
import zipfile

import httpx
import pytest

from gateway.models.example import EXAMPLE_PAGES
from tests.end_to_end.conftest import EXAMPLES


@pytest.fixture(scope="module")
def paper(stack):
    """The pages of the paper as /layout-parsing answers them."""
    body = {"file": base64.b64encode((EXAMPLES / "paper.pdf").read_bytes()).decode(), "visualize": False}
    return httpx.post(f"{stack.url}/layout-parsing", json=body, timeout=120).json()["result"][
        "layoutParsingResults"
    ]


def sent_back(elements):
    return [
        {"prunedResult": each["prunedResult"], "markdownImages": each["markdown"]["images"]}
        for each in elements
    ]


def restructured(client, pages, **options):
    answer = client.post("/restructure-pages", json={"pages": pages, **options})
    body = answer.json()
    assert (answer.status_code, body["errorCode"], body["errorMsg"]) == (200, 0, "Success"), body
    assert set(body["result"]) == {"layoutParsingResults"}
    return body["result"]["layoutParsingResults"]


def assert_error(answer, status, *words):
    body = answer.json()
    assert set(body) == {"logId", "errorCode", "errorMsg"}
    assert (answer.status_code, body["errorCode"]) == (status, status), body
    assert all(word in body["errorMsg"] for word in words), body["errorMsg"]


def test_pages_that_need_nothing_come_back_as_they_were_but_for_their_numbers(client, paper):
    again = restructured(client, sent_back(paper), mergeTables=False, relevelTitles=False)
    assert [each["markdown"] for each in again] == [each["markdown"] for each in paper]
    number = 0
    for new, old in zip(again, paper, strict=True):
        for block in new["prunedResult"]["parsing_res_list"]:
            assert (block.pop("global_block_id"), block.pop("global_group_id")) == (number, number)
            number += 1
        assert new["prunedResult"] == old["prunedResult"]


def test_restructuring_afterwards_is_what_restructuring_at_once_would_have_been(client, paper):
    body = {
        "file": base64.b64encode((EXAMPLES / "paper.pdf").read_bytes()).decode(),
        "visualize": False,
        "restructurePages": True,
    }
    at_once = client.post("/layout-parsing", json=body).json()["result"]["layoutParsingResults"]
    assert restructured(client, sent_back(paper)) == at_once


def test_joined_pages_are_one_document_with_every_picture(client, paper):
    (joined,) = restructured(client, sent_back(paper), concatenatePages=True, outputFormats=["docx"])
    pruned = joined["prunedResult"]
    assert pruned["page_count"] == len(pruned["layout_det_res"]) == len(paper) == 3
    assert (pruned["width"], pruned["height"]) == tuple(
        paper[0]["prunedResult"][side] for side in ("width", "height")
    )
    assert len(pruned["parsing_res_list"]) == sum(
        len(each["prunedResult"]["parsing_res_list"]) for each in paper
    )
    pictures = [data for each in paper for data in each["markdown"]["images"].values()]
    assert list(joined["markdown"]["images"].values()) == pictures
    content = base64.b64decode(joined["exports"]["docx"]["content"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"Conclusion" in archive.read("word/document.xml")
    assert "warnings" not in joined


def test_a_page_sent_three_times_keeps_its_pictures_three_times(client, paper):
    page = next(each for each in paper if each["markdown"]["images"])
    (joined,) = restructured(client, sent_back([page] * 3), concatenatePages=True, mergeTables=False)
    images = joined["markdown"]["images"]
    assert len(images) == 3 * len(page["markdown"]["images"])
    assert all(f'src="{key}"' in joined["markdown"]["text"] for key in images)


def test_the_example_of_the_api_pages_joins_its_table(client):
    (joined,) = restructured(client, **EXAMPLE_PAGES)
    text = joined["markdown"]["text"]
    assert text.count("<table") == 1
    assert text.index("2023") < text.index("2024") < text.index("Rain")


@pytest.mark.parametrize("concatenate", [True, False])
def test_no_pages_are_no_results(client, concatenate):
    assert restructured(client, [], concatenatePages=concatenate) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["`pages` is required"]),
        ({"pages": None}, ["`pages`"]),
        ({"pages": [{"prunedResult": {}}]}, ["`pages[0].prunedResult.", "is required"]),
        ({"pages": [{"prunedResult": None}]}, ["`pages[0].prunedResult`"]),
        ({"pages": [], "outputFormats": ["pdf"]}, ["`outputFormats`"]),
    ],
    ids=str,
)
def test_a_bad_request_is_a_422_that_names_the_field(client, body, words):
    assert_error(client.post("/restructure-pages", json=body), 422, *words)


def endless_pages():
    """Every page's table goes on on the next: joining them takes minutes."""
    table = "<table>" + "<tr><td colspan=100>x</td></tr>" * 5000 + "</table>"
    return [
        {
            "prunedResult": {
                "width": 1000, "height": 1000, "model_settings": {},
                "parsing_res_list": [
                    {"block_label": "table", "block_content": table, "block_bbox": [0, 0, 900, 900]}
                ],
            }
        }
        for _ in range(60)
    ]  # fmt: skip


def test_clients_that_leave_do_not_keep_the_model_from_others(client, stack):
    """More of them than there are instances; what they asked for would take minutes."""
    body = {"pages": endless_pages()}
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{stack.url}/restructure-pages", json=body, timeout=2)
    began = time.monotonic()
    assert restructured(client, [], concatenatePages=True) == []
    assert restructured(client, [], concatenatePages=True) == []
    assert time.monotonic() - began < 10
