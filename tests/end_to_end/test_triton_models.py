"""The two models on the real Triton, spoken to as the gateway does but without what the gateway checks."""

import json
import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferResult
from tritonclient.utils import InferenceServerException

from deploy.local.process import RunningStack
from docparse.page_memory import PageMemory, PageReference
from tests.end_to_end.conftest import EXAMPLES, ROOT
from tests.samples import image_bytes, pdf_bytes
from tests.tritonserver import HANG_SECONDS, detect, detect_at, detect_together, executions, tensor

LAYOUT_OPTIONS = json.dumps(
    {"threshold": None, "nms": None, "unclip_ratio": None, "merge_bboxes_mode": None, "shape_mode": "auto"}
).encode()
OPTIONS: dict[str, Any] = json.loads((ROOT / "tests/golden/wire/options-default.json").read_text())


@pytest.fixture(scope="module")
def triton(stack: RunningStack) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(f"127.0.0.1:{stack.environment['HPS_TRITON_GRPC_PORT']}") as client:
        yield client


# The layout-detection model.


@pytest.fixture(scope="module")
def pages() -> list[np.ndarray]:
    """Eight pages, each of a size of its own."""
    invoice = cv2.imread(str(EXAMPLES / "invoice.png"))
    return [
        cv2.resize(invoice[: 400 + 40 * number], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for number in range(8)
    ]


@pytest.fixture(scope="module")
def alone(triton: InferenceServerClient, pages: list[np.ndarray]) -> list[Any]:
    """The boxes of each page when it is the only one."""
    boxes = [detect(triton, page, LAYOUT_OPTIONS) for page in pages]
    assert all(boxes)
    return boxes


def test_pages_of_different_sizes_share_a_batch_and_are_laid_out_as_each_alone(triton, pages, alone):
    before = executions(triton)
    assert detect_together(triton, pages, [LAYOUT_OPTIONS] * 8) == alone
    assert executions(triton) - before < 8


@pytest.mark.parametrize("garbage", [b"not json", b'{"no such option": 1}'])
def test_one_malformed_request_in_a_batch_is_its_own_error_and_nobody_elses(triton, pages, alone, garbage):
    before = executions(triton)
    answers = detect_together(triton, pages, [LAYOUT_OPTIONS] * 6 + [garbage, LAYOUT_OPTIONS])
    assert executions(triton) - before < 8
    assert isinstance(answers[6], InferenceServerException)
    assert answers[6].status() == "StatusCode.INVALID_ARGUMENT"
    assert answers[:6] + answers[7:] == alone[:6] + alone[7:]


def test_pages_that_lie_in_shared_memory_are_laid_out_as_those_that_are_sent(triton, pages, alone):
    memory = PageMemory()
    shared = [share(memory, page) for page in pages]
    before = executions(triton)
    assert detect_together(triton, shared, [LAYOUT_OPTIONS] * 8) == alone
    assert executions(triton) - before < 8
    mixed = shared[:4] + pages[4:]
    assert detect_together(triton, mixed, [LAYOUT_OPTIONS] * 8) == alone


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/1/fd/0", f"/proc/{2**31}/fd/5", ""])
def test_a_page_that_lies_nowhere_is_its_own_error_and_nobody_elses(triton, pages, alone, path):
    with ThreadPoolExecutor(2) as threads:
        good = threads.submit(detect, triton, share(PageMemory(), pages[1]), LAYOUT_OPTIONS)
        with pytest.raises(InferenceServerException, match="cannot be read") as refusal:
            detect_at(triton, PageReference(path, 10, 10), LAYOUT_OPTIONS)
        assert good.result() == alone[1]
    assert refusal.value.status() == "StatusCode.INVALID_ARGUMENT"


def share(memory: PageMemory, page: np.ndarray) -> np.ndarray:
    shared = memory.lease(*page.shape[:2]).array(*page.shape[:2])
    np.copyto(shared, page)
    return shared


# The layout-parsing model.


def parse(client: InferenceServerClient, document: bytes, options: bytes) -> list[dict[str, Any]]:
    """Headers of the events of one document, up to the final flag; without signs of life, which a slow one gives."""
    answers: queue.Queue[tuple[InferResult | None, Exception | None]] = queue.Queue()
    inputs = [
        tensor("document", "UINT8", np.frombuffer(document, np.uint8)),
        tensor("options", "BYTES", np.array([options], dtype=object)),
    ]
    client.start_stream(lambda result, error: answers.put((result, error)))
    try:
        client.async_stream_infer("layout-parsing", inputs, enable_empty_final_response=True)
        events = []
        while True:
            result, error = answers.get(timeout=HANG_SECONDS)
            assert error is None
            event = result.as_numpy("event")
            if event is not None:
                events.append(json.loads(event[0].partition(b"\n")[0]))
            if result.get_response().parameters["triton_final_response"].bool_param:
                return [event for event in events if event["type"] != "alive"]
    finally:
        client.stop_stream(cancel_requests=True)


def wire_options(**changes: Any) -> bytes:
    return json.dumps({**OPTIONS, **changes}).encode()


@pytest.mark.parametrize(
    ("document", "options", "code"),
    [
        (image_bytes("png"), b"", "invalid_option"),
        (image_bytes("png"), b"\x00\xff not json", "invalid_option"),
        (image_bytes("png"), b"[1]", "invalid_option"),
        (image_bytes("png"), wire_options(version=99), "invalid_option"),
        (image_bytes("png"), wire_options(kind="docx"), "invalid_option"),
        (image_bytes("png"), wire_options(timeoutSeconds="soon"), "invalid_option"),
        (image_bytes("png"), wire_options(parse=[1]), "invalid_option"),
        (image_bytes("png"), wire_options(parse={"layout_nms": "perhaps"}), "invalid_option"),
        (image_bytes("png"), wire_options(timeoutSeconds=0), "deadline_exceeded"),
        (b"", wire_options(), "empty_document"),
        (b"\x00" * 1000, wire_options(), "invalid_document"),
        (image_bytes("png"), wire_options(kind="pdf"), "invalid_document"),
    ],
)
def test_what_cannot_be_parsed_ends_with_one_error_event_and_the_next_document_is_parsed(
    triton, document, options, code
):
    (event,) = parse(triton, document, options)
    assert (event["type"], event["code"]) == ("error", code)
    good = parse(triton, image_bytes("png"), wire_options())
    assert [each["type"] for each in good] == ["document", "page"]


def test_every_document_of_a_crowd_gets_its_own_events(stack):
    def parse_pages(count: int) -> list[dict[str, Any]]:
        with InferenceServerClient(f"127.0.0.1:{stack.environment['HPS_TRITON_GRPC_PORT']}") as client:
            return parse(client, pdf_bytes(count, (100, 50)), wire_options(kind="pdf"))

    counts = [1, 5, 2, 4, 3]
    with ThreadPoolExecutor(len(counts)) as threads:
        for count, events in zip(counts, threads.map(parse_pages, counts), strict=True):
            # A busy machine has signs of life between them.
            (document,) = [event for event in events if event["type"] == "document"]
            assert len(document["pages"]) == count
            found = [event["index"] for event in events if event["type"] == "page"]
            assert sorted(found) == list(range(count))
