"""What a log line looks like, whatever is in it."""

import asyncio
import io
import logging
import sys
from collections.abc import Iterator

import pytest

from docparse.logs import log_to_stderr, quote
from tests.docparse.vlm import client_for
from tests.fakes.vlm import running_vlm

logger = logging.getLogger("docparse.of_tests")


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Where the package's lines go."""
    package = logging.getLogger("docparse")
    before = package.handlers[:], package.level, package.propagate
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log_to_stderr("INFO")
    yield sys.stderr
    package.handlers[:], package.level, package.propagate = before


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\x1b[2J"])
def test_nothing_that_a_client_says_begins_a_line_or_moves_the_cursor(stderr, end):
    logger.info("seconds=%.2f %s", 1, f"one{end}I docparse.triton_adapter.parsing: two")
    (line,) = stderr.getvalue().splitlines()
    assert line.isprintable()
    assert line.startswith("I docparse.of_tests: seconds=1.00 one\\")


def test_a_traceback_is_indented_so_that_no_line_of_it_looks_like_another_record(stderr):
    try:
        int("one\nI docparse: two\rE docparse: three")
    except ValueError:
        logger.exception("failed")
    first, *others = stderr.getvalue().splitlines()
    assert first == "E docparse.of_tests: failed"
    assert any("Traceback" in line for line in others)
    assert all(line.startswith("  ") for line in others)


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("0b5e-7f_a.b:c/d", "0b5e-7f_a.b:c/d"),
        ("a code=none", '"a code=none"'),
        ("a\nb", r'"a\nb"'),
        ("\u00e9", '"\u00e9"'),
        ("", '""'),
    ],
)
def test_a_value_from_outside_is_quoted_unless_it_cannot_be_mistaken(value, quoted):
    assert quote(value) == quoted


async def test_no_password_of_a_servers_url_is_logged(stderr):
    async with running_vlm(500) as vlm:
        url = vlm.url.replace("//", "//me:secret@")
        async with client_for(url, "http://127.0.0.1:9", retries=0) as client:
            for _ in range(2):
                await asyncio.wait(
                    {asyncio.ensure_future(client.complete(b"data:image/png;base64,AA", "OCR:", {}))}
                )
    assert f"http://127.0.0.1:{vlm.port}" in stderr.getvalue()
    assert "secret" not in stderr.getvalue()
    assert "me:" not in stderr.getvalue()
