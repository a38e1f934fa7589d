"""Both ends of the wire to the gateway, against the golden files that the gateway's tests read too."""

import json
from pathlib import Path

import pytest

from docparse import errors
from docparse.errors import DocparseError, EncryptedDocument, InvalidOption, VlmUnavailable
from docparse.options import ParseOptions
from docparse.protocol import (
    KINDS,
    DocumentRequest,
    PageSize,
    alive_event,
    decode_request,
    document_event,
    error_event,
    page_event,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"

# Codes that the gateway has an HTTP status for (the wire's contract); another would be a 500.
CODES = {
    "invalid_document", "encrypted_document", "empty_document", "unsupported_document", "image_too_large",
    "too_many_pages", "invalid_option", "invalid_pages", "vlm_unavailable", "layout_unavailable",
    "preprocessing_unavailable", "deadline_exceeded",
    "internal",
}  # fmt: skip


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def options(**changes: object) -> bytes:
    return json.dumps({**json.loads(golden("options-default.json")), **changes}).encode()


@pytest.mark.parametrize(
    ("name", "log_id", "kind"),
    [("options-default.json", "golden-default", "png"), ("options-full.json", "golden-full", "pdf")],
)
def test_what_the_gateway_sends_is_read(name, log_id, kind):
    request = decode_request(golden(name))
    assert request == DocumentRequest(log_id, kind, 599.2, json.loads(golden(name))["parse"])


def test_every_option_that_the_gateway_sends_takes_effect():
    request = decode_request(golden("options-full.json"))
    without = {
        name
        for name, value in request.parse.items()
        if ParseOptions.from_wire({name: value}) == ParseOptions.from_wire({})
    }
    # What these say there is the default.
    assert without == {
        "use_doc_orientation_classify", "use_doc_unwarping", "use_layout_detection", "min_pixels", "max_pixels",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_document_is_read(kind):
    assert decode_request(options(kind=kind)).kind == kind


@pytest.mark.parametrize("parse", [None, {}])
def test_a_request_without_parse_options_is_one_with_defaults(parse):
    assert decode_request(options(parse=parse)).parse == {}


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "not JSON"),
        (b"\xff\x00", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "version 1"),
        (b"null", "version 1"),
        (b"{}", "version 1"),
        (options(version=2), "version 1"),
        (options(kind="docx"), "docx"),
        (options(kind=None), "None"),
        (options(kind=["pdf"]), "kind"),
        (options(timeoutSeconds=None), "timeoutSeconds"),
        (options(timeoutSeconds="soon"), "timeoutSeconds"),
        (options(timeoutSeconds=True), "timeoutSeconds"),
        (options(parse=[1]), "object"),
        (options(parse="x"), "object"),
    ],
)
def test_a_request_that_is_not_of_the_wire_is_refused_in_words(raw, word):
    with pytest.raises(InvalidOption, match=word):
        decode_request(raw)


def test_a_document_event_is_what_the_gateway_reads():
    image = document_event("image", [PageSize(560, 150)], 1, None)
    tiff = document_event("tiff", [PageSize(1240, 1754)] * 2, 2, None)
    pdf = document_event("pdf", [PageSize(1191, 1684), PageSize(1684, 1191)], 9, 2.0)
    assert image == golden("event-document-image.bin")
    assert tiff == golden("event-document-tiff.bin")
    assert pdf == golden("event-document-pdf.bin")


def test_a_page_event_is_a_header_line_and_the_element_as_it_is():
    element = golden("event-page.bin").split(b"\n", 1)[1]
    assert page_event(1, element) == golden("event-page.bin")


def test_a_sign_of_life_is_what_the_gateway_reads():
    assert alive_event() == golden("event-alive.bin")


def test_an_error_event_is_what_the_gateway_reads():
    error = EncryptedDocument("`file` is a PDF that needs a password.")
    assert error_event(error) == golden("event-error.bin")


def test_an_error_event_is_one_line_whatever_its_message():
    event = error_event(VlmUnavailable("first\nsecond \N{HEAVY EXCLAMATION MARK SYMBOL}"))
    assert b"\n" not in event
    assert json.loads(event)["message"] == "first\nsecond \N{HEAVY EXCLAMATION MARK SYMBOL}"


def test_every_error_has_a_code_that_the_gateway_knows():
    kinds = [
        error for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, DocparseError)
    ]  # fmt: skip
    assert {error.code for error in kinds} == CODES
