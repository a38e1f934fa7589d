"""What a client may write into each field: what PaddleX's schema takes is taken here, but for what is named."""

import json

import pytest
from paddlex.inference.serving.schemas.paddleocr_vl import InferRequest
from pydantic import BaseModel, ValidationError

from gateway.models.requests import LayoutParsingRequest

VALUES = (
    None, True, False, 0, 1, 2, -1, 0.5, 1.0, 1.5, 0.0, "", "0", "1", "true", "0.5", " 1e-1 ", "nan", "ocr", "large",
    "rect", "x", [], [1, 2], [1.0, 1.1], ["docx"], ["pdf"], [1], ["a"], {}, {"0": 0.5}, {"text": 0.5}, {"22": [1, 1.1]},
    {"3": "large"}, {"3": "0.5"}, {"99": 0.5}, {"a": 1}, 10**20,
)  # fmt: skip
# Ours alone: it has no meaning there, and any value is ignored.
OURS = {"pageRanges"}
# A class that is not there is refused, and what is not a number is within no bounds.
REFUSED_HERE = {
    (field, value)
    for field in ("layoutThreshold", "layoutUnclipRatio")
    for value in ('{"99": 0.5}', '{"a": 1}', '"nan"')
} | {(field, '"nan"') for field in ("repetitionPenalty", "temperature")}
# PaddleX means to take these.
TAKEN_HERE = {("layoutUnclipRatio", value) for value in ("[1, 2]", "[1.0, 1.1]")} | {
    (field, '{"3": "0.5"}') for field in ("layoutThreshold", "layoutUnclipRatio")
}
FIELDS = [field.alias for field in LayoutParsingRequest.model_fields.values() if field.alias not in OURS]


def takes(model: type[BaseModel], body: str) -> bool:
    try:
        model.model_validate_json(body)
    except ValidationError:
        return False
    return True


@pytest.mark.difference(4, 7)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_takes_what_paddlex_takes(field):
    for value in map(json.dumps, VALUES):
        body = json.dumps({"file": "AAAA", field: json.loads(value)})
        ours, theirs = takes(LayoutParsingRequest, body), takes(InferRequest, body)
        assert (theirs and not ours) == ((field, value) in REFUSED_HERE), value
        assert (ours and not theirs) == ((field, value) in TAKEN_HERE), value
