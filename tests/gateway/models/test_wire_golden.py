import json
from pathlib import Path

import pytest

from gateway.models.events import AliveEvent, BadEvent, DocumentEvent, ErrorEvent, PageEvent, parse_event
from gateway.models.requests import validate_request

WIRE = Path(__file__).parents[2] / "golden" / "wire"


def read_json(name: str) -> dict:
    return json.loads((WIRE / name).read_text())


def read_event(name: str):
    return parse_event((WIRE / name).read_bytes())


def test_a_request_with_only_a_file_sends_the_default_options():
    assert validate_request({"file": "x"}).to_parse_wire() == read_json("options-default.json")["parse"]


def test_every_field_of_a_request_reaches_the_model():
    wire = validate_request(read_json("request-full.json")).to_parse_wire()
    assert json.loads(json.dumps(wire)) == read_json("options-full.json")["parse"]


def test_the_full_request_sets_every_field_there_is():
    fields = {field.alias for field in type(validate_request({"file": "x"})).model_fields.values()}
    assert set(read_json("request-full.json")) == fields


def test_a_document_event_of_an_image_is_its_size():
    event = read_event("event-document-image.bin")
    assert event == DocumentEvent("image", ((560, 150),), 1, None)
    assert event.data_info() == {"width": 560, "height": 150, "type": "image"}


def test_a_document_event_of_a_pdf_tells_selected_and_total_pages():
    event = read_event("event-document-pdf.bin")
    assert event.data_info() == {
        "numPages": 2,
        "totalPages": 9,
        "pages": [{"width": 1191, "height": 1684}, {"width": 1684, "height": 1191}],
        "type": "pdf",
        "renderScale": 2.0,
    }


def test_a_document_event_of_a_tiff_tells_its_pages():
    info = read_event("event-document-tiff.bin").data_info()
    assert info["type"] == "tiff"
    assert info["numPages"] == info["totalPages"] == 2


def test_a_page_event_keeps_the_result_byte_for_byte():
    data = (WIRE / "event-page.bin").read_bytes()
    event = parse_event(data)
    assert event == PageEvent(1, data.split(b"\n", 1)[1])
    assert "文字" in json.loads(event.result)["markdown"]["text"]


def test_a_sign_of_life_says_nothing_else():
    assert read_event("event-alive.bin") == AliveEvent()


def test_an_error_event_carries_code_and_sentence():
    assert read_event("event-error.bin") == ErrorEvent(
        "encrypted_document", "`file` is a PDF that needs a password."
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"type":"page","index":0}',
        b'{"type":"other"}',
        b'{"type":"document","kind":"image","pages":[],"totalPages":0}',
        b'{"type":"document","kind":"odd","pages":[{"width":1,"height":1}],"totalPages":1}',
        b'{"type":"page","index":"x"}\n{}',
    ],
)
def test_what_is_not_an_event_is_refused(data):
    with pytest.raises(BadEvent):
        parse_event(data)
