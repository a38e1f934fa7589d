"""A field that nothing reads is a defect: each field of a request changes the answer, or is refused in words."""

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docparse.layout.cdla import CdlaDetector
from gateway.models.requests import LayoutParsingRequest
from tests.parity.comparing import fold
from tests.parity.samples import PDF, Sample, book, every_label, image_sample
from tests.parity.vlm import service_with_vlm

PAPER = Path(__file__).parents[2] / "examples" / "paper.pdf"
JOINED = {"restructurePages": True}
WHOLE = {"useLayoutDetection": False}
LABELS, BOOK, DETECTED = "every label", "book", "detected"

# Document, options that stay, the field's value: a field without a row here fails the last test.
CHANGES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "file": (LABELS, {}, image_sample(seed=1).body()["file"]),
    "pageRanges": (BOOK, {}, "2-3"),
    "useLayoutDetection": (LABELS, {}, False),
    "useChartRecognition": (LABELS, {}, True),
    "useSealRecognition": (LABELS, {}, True),
    "useOcrForImageBlock": (LABELS, {}, True),
    "layoutThreshold": (DETECTED, {}, 0.9),
    "layoutNms": (DETECTED, {}, False),
    "layoutUnclipRatio": (DETECTED, {}, [1.0, 1.1]),
    "layoutMergeBboxesMode": (DETECTED, {}, {"text": "small"}),
    "layoutShapeMode": (DETECTED, {}, "rect"),
    "promptLabel": (LABELS, WHOLE, "table"),
    "formatBlockContent": (LABELS, {}, True),
    "repetitionPenalty": (LABELS, {}, 1.2),
    "temperature": (LABELS, {}, 0.5),
    "topP": (LABELS, {}, 0.5),
    "minPixels": (LABELS, {}, 500_000),
    "maxPixels": (LABELS, {}, 50_000),
    "maxNewTokens": (LABELS, {}, 10),
    "mergeLayoutBlocks": (LABELS, {}, False),
    "markdownIgnoreLabels": (LABELS, {}, []),
    "vlmExtraArgs": (LABELS, {}, {"seed": 1}),
    "prettifyMarkdown": (LABELS, {}, False),
    "showFormulaNumber": (LABELS, {}, True),
    "returnMarkdownImages": (LABELS, {}, False),
    "restructurePages": (BOOK, {}, True),
    "mergeTables": (BOOK, JOINED, False),
    "relevelTitles": (BOOK, JOINED, False),
    "outputFormats": (LABELS, {}, ["docx"]),
    "visualize": (LABELS, {}, True),
    "logId": (LABELS, {}, "another"),
}
REFUSALS = {
    "fileType": (0, "`fileType` is 0 (PDF), but the bytes of `file` are a PNG image."),
    "useDocOrientationClassify": (True, "`useDocOrientationClassify` cannot be true"),
    "useDocUnwarping": (True, "`useDocUnwarping` cannot be true"),
}
SAMPLES = {
    LABELS: every_label,
    BOOK: book,
    DETECTED: cache(lambda: Sample(PAPER.read_bytes(), PDF, [])),
}


async def say_how_it_was_asked(completion):
    """A text that tells the parameters of the call and the size of the picture."""
    body = {name: value for name, value in completion.body.items() if name not in ("model", "messages")}
    asked = f"{json.dumps(body, sort_keys=True)} {len(completion.image)}"
    return f"<fcel>{asked}<fcel>b<nl>" if "Table" in completion.prompt else f"1.1 {asked}"


@cache
def detector():
    return CdlaDetector(intra_op_threads=2)


async def detect(image, options):
    return (await asyncio.to_thread(detector().detect, [image], [options]))[0]


async def answer_to(pool, name, options):
    """The answer, without what differs from one call to the next."""
    sample = SAMPLES[name]()
    kind = {"pageRanges": "1"} if name == DETECTED else {}
    body = sample.body(**{"visualize": False, **kind, **options})
    find = detect if name == DETECTED else _Regions(sample).detect
    # Page by page, so that they come to the layout in their order.
    async with service_with_vlm(find, pool, say_how_it_was_asked, max_pages_in_work=1) as (http, _):
        answer = await http.post("/layout-parsing", json=body)
    return answer.status_code, fold(answer.json())


class _Regions:
    """The regions of a sample's pages, in the order in which the pages come."""

    def __init__(self, sample: Sample) -> None:
        self._pages = iter(sample.pages)

    async def detect(self, image, options):
        return next(self._pages)


_unchanged: dict[str, Any] = {}


@pytest.mark.parametrize("field", CHANGES)
async def test_a_field_changes_the_answer(pool, field):
    name, options, value = CHANGES[field]
    key = f"{name} {options}"
    if key not in _unchanged:
        _unchanged[key] = await answer_to(pool, name, options)
    status, answer = await answer_to(pool, name, {**options, field: value})
    assert (status, _unchanged[key][0]) == (200, 200), answer
    assert answer != _unchanged[key][1]


@pytest.mark.parametrize("name", [LABELS, BOOK])
async def test_without_a_change_the_answer_is_the_same(pool, name):
    assert await answer_to(pool, name, JOINED) == await answer_to(pool, name, JOINED)


@pytest.mark.parametrize("field", REFUSALS)
async def test_a_field_that_cannot_be_served_is_refused_in_words(pool, field):
    value, words = REFUSALS[field]
    status, answer = await answer_to(pool, LABELS, {field: value})
    assert status == 422
    assert words in answer["errorMsg"]


def test_no_field_is_left_out():
    fields = {field.alias for field in LayoutParsingRequest.model_fields.values()}
    assert fields == set(CHANGES) | set(REFUSALS)
