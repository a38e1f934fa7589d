"""What the adapter of `layout-parsing` does when Triton's side of a stream breaks."""

import asyncio
import importlib
import io
import json
import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import triton_backend
from tests.fakes.triton_backend import InferenceRequest, Request, Sender
from tests.gateway.waiting import eventually
from tests.samples import image_bytes

ROOT = Path(__file__).parents[2]
OPTIONS: dict[str, Any] = json.loads((ROOT / "tests/golden/wire/options-default.json").read_text())


@pytest.fixture
async def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Any]:
    """`layout-parsing`, with one render worker. Its `layout-detection` never answers."""
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", triton_backend.module())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setenv("HPS_RENDER_WORKERS", "1")
    monkeypatch.setenv("HPS_SPOOL_DIR", str(tmp_path))
    package = logging.getLogger("docparse")
    before = package.handlers[:], package.level, package.propagate, logging.getLogger("asyncio").level
    # Imported late: it needs Triton's module.
    model = importlib.import_module("docparse.triton_adapter.parsing").LayoutParsing()
    yield model
    model.close()
    # What Triton does by ending the process.
    model._watchdog.cancel()
    await asyncio.wait({model._watchdog})
    await model._runtime._client.__aexit__(None, None, None)
    package.handlers[:], package.level, package.propagate = before[:3]
    logging.getLogger("asyncio").setLevel(before[3])


def document(sender: Sender, **options: object) -> Request:
    asked = json.dumps({**OPTIONS, "kind": "png", "timeoutSeconds": 60, **options}).encode()
    return Request(sender, options=asked, document=image_bytes("png"))


def logged() -> str:
    handler, *_ = logging.getLogger("docparse").handlers  # pytest adds its own
    return handler.stream.getvalue()


async def test_a_document_whose_stream_breaks_is_not_parsed_on_for_nobody(model):
    sender = Sender(events=1)  # the document is announced; that it is in work can not be said
    answer = asyncio.create_task(model.execute([document(sender)]))
    await eventually(lambda: InferenceRequest.in_work == 1)
    with pytest.raises(Exception, match="the stream is broken"):
        await answer
    assert InferenceRequest.in_work == 0
    assert sender.has_ended


async def test_an_id_that_a_client_made_up_writes_no_line_of_its_own(model):
    forged = "1 pages=9\nI docparse.triton_adapter.parsing: logId=2 pages=1"
    await model.execute([document(Sender(events=9), kind="pdf", logId=forged)])
    lines = [line for line in logged().splitlines() if "logId=" in line]
    assert len(lines) == 1
    assert f"logId={json.dumps(forged)} code=" in lines[0]
