"""A client is told, through HTTP, how each block was read and what of a page is doubtful."""

import itertools

import pytest

from tests.docparse.pages import box
from tests.fakes.vlm import Said
from tests.parity.samples import image_sample
from tests.parity.services import Models
from tests.parity.vlm import service_with_vlm

SAMPLE = image_sample(box("text", 10, 10, 300, 100), width=400, height=300)
CUT, CUT_LATER = Said(["half of "], "length"), Said(["half of it, and "], "length")
LOOP = Said(itertools.chain(["Before it:\n"], itertools.repeat("spam and eggs, ")))


@pytest.mark.parametrize(
    ("steps", "told", "warnings"),
    [
        (["fine"], {"finish_reason": "stop", "retries": 0, "suspect": False}, []),
        ([503, "fine"], {"finish_reason": "stop", "retries": 1, "suspect": False}, []),
        ([CUT, "the whole"], {"finish_reason": "stop", "retries": 1, "suspect": False}, []),
        ([CUT, CUT_LATER], {"finish_reason": "length", "retries": 1, "suspect": True}, ["region_truncated"]),
        ([LOOP], {"finish_reason": "repetition", "retries": 0, "suspect": True}, ["region_repetition"]),
        ([500, 500], {"finish_reason": "error", "retries": 1, "suspect": True}, ["region_failed"]),
    ],
    ids=["read", "read again", "given more room", "cut", "looped", "failed"],
)
async def test_a_block_says_how_it_was_read_and_its_page_what_is_doubtful(pool, steps, told, warnings):
    async with service_with_vlm(Models(SAMPLE.pages).detect, pool, *steps, retries=1) as (http, _):
        answer = await http.post("/layout-parsing", json=SAMPLE.body(visualize=False))
    assert answer.status_code == 200, answer.text
    (element,) = answer.json()["result"]["layoutParsingResults"]
    (block,) = element["prunedResult"]["parsing_res_list"]
    assert block["block_recognition"] == told
    assert [(warning["code"], warning["blockId"]) for warning in element.get("warnings", [])] == [
        (code, block["block_id"]) for code in warnings
    ]
