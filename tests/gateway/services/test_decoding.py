import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import EmptyDocument, InvalidDocument
from gateway.services.documents import decode


@given(st.binary(min_size=1, max_size=500))
def test_base64_comes_back_whole(content):
    assert decode(base64.b64encode(content).decode()) == content


@given(st.binary(min_size=1, max_size=500))
def test_base64_may_have_line_breaks(content):
    assert decode(base64.encodebytes(content).decode().replace("\n", "\r\n")) == content


def test_a_data_url_is_decoded():
    assert decode("data:image/png;base64,aGVsbG8=") == b"hello"
    assert decode(" DATA:;BASE64,aGVs\nbG8=") == b"hello"
    assert decode("data:text/plain,a%20b") == b"a b"


@pytest.mark.parametrize(
    "text",
    ["not base64!", "aGVsbG8", "aGVsb=G8", "ftp://host/x", "/etc/passwd", "ünïcode", "a", "aGVs\x00bG8="],
)
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(InvalidDocument, match="`file` is neither base64 nor"):
        decode(text)


@pytest.mark.parametrize("form", ["{}==", '"{}"', "{},", "{}\0", "<{}>", "-{}"])
def test_what_does_not_belong_into_base64_is_left_out_where_a_document_comes_of_it(form):
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(10))
    assert decode(form.format(base64.b64encode(png).decode())) == png


def test_pieces_of_base64_that_were_joined_are_refused_and_not_cut_after_the_first():
    pieces = [base64.b64encode(piece).decode() for piece in (b"\x89PNG\r\n\x1a\n" + bytes(2), bytes(10))]
    with pytest.raises(InvalidDocument, match="`file` is neither base64 nor"):
        decode("".join(pieces))


def test_a_data_url_with_bad_base64_is_refused():
    with pytest.raises(InvalidDocument, match="data: URL"):
        decode("data:image/png;base64,###")


@pytest.mark.parametrize("text", ["", "  \n", "data:image/png;base64,"])
def test_nothing_is_an_empty_document(text):
    with pytest.raises(EmptyDocument):
        decode(text)
