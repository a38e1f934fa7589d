import pytest

from gateway.errors import EmptyDocument, InvalidDocument
from gateway.models.documents import Kind
from gateway.services.sniffing import check_kind, sniff

BMP = b"BM" + b"\0" * 12 + (40).to_bytes(4, "little") + b"\0" * 30


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", Kind.PNG),
        (b"\xff\xd8\xff\xe0....", Kind.JPEG),
        (b"GIF87a..", Kind.GIF),
        (b"GIF89a..", Kind.GIF),
        (b"II*\x00....", Kind.TIFF),
        (b"MM\x00*....", Kind.TIFF),
        (b"II+\x00....", Kind.TIFF),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Kind.WEBP),
        (BMP, Kind.BMP),
        (b"%PDF-1.7\n", Kind.PDF),
        (b"\xef\xbb\xbf\r\n%PDF-1.4", Kind.PDF),
        (b"j" * 1024 + b"%PDF-1.4", Kind.PDF),
        (b"\x89PNG\r\n\x1a\n....%PDF-1.4", Kind.PNG),
        (b"BMW drivers %PDF-1.4", Kind.PDF),
        (b"j" * 1025 + b"%PDF-1.4", None),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"BM is short for something", None),
        (b"hello", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_kind(content, kind):
    assert sniff(content) is kind


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n\n<html lang=en>", "HTML"),
        (b"\xef\xbb\xbf<HTML>", "HTML"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"PK\x03\x04....", "Office"),
        (b'{"error": 1}', "JSON"),
        (b"hello", "none of these"),
    ],
)
def test_what_is_not_served_is_named(content, word):
    with pytest.raises(InvalidDocument, match=f"`file` must be.*{word}"):
        check_kind(content, None)


def test_a_wrong_file_type_is_told_what_the_bytes_are():
    with pytest.raises(InvalidDocument, match=r"`fileType` is 0 \(PDF\), but .* a PNG image"):
        check_kind(b"\x89PNG\r\n\x1a\n", 0)
    with pytest.raises(InvalidDocument, match=r"`fileType` is 1 \(image\), but .* a PDF"):
        check_kind(b"%PDF-1.7", 1)


def test_a_right_file_type_passes():
    assert check_kind(b"%PDF-1.7", 0) is Kind.PDF
    assert check_kind(b"\xff\xd8\xff", 1) is Kind.JPEG


def test_no_bytes_are_an_empty_document():
    with pytest.raises(EmptyDocument, match="`file` is empty"):
        check_kind(b"", 1)
