"""Orientation and unwarping through every tier, on networks with the interfaces of the real ones."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from deploy.local.process import RunningStack, running_stack
from docparse.layout.detector import LayoutOptions
from docparse.layout.engines import load_detector
from docparse.layout.settings import LayoutSettings
from docparse.preprocessing import PreprocessingOptions
from docparse.preprocessing.preprocessor import Preprocessor
from docparse.preprocessing.wire import encode_preprocessing_options
from tests.docparse.preprocessing.oracle import load_ours, write_models
from tests.networks.layout import write_layout_model
from tests.networks.palette import Painted, paint
from tests.networks.preprocessing import MARK
from tests.tritonserver import HANG_SECONDS, executions, tensor


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {"layout_model_dir": write_layout_model(folder / "layout"), **write_models(folder)}


@pytest.fixture(scope="module")
def turning_stack(tmp_path_factory, folders) -> Iterator[RunningStack]:
    settings = {f"HPS_{name.upper()}": str(folder) for name, folder in folders.items()}
    log = tmp_path_factory.mktemp("stack") / "stack.log"
    with running_stack(log, {"HPS_LAYOUT_ENGINE": "paddlex", **settings}) as stack:
        yield stack


@pytest.fixture(scope="module")
def triton(turning_stack) -> Iterator[InferenceServerClient]:
    with InferenceServerClient(f"127.0.0.1:{turning_stack.environment['HPS_TRITON_GRPC_PORT']}") as client:
        yield client


@pytest.fixture(scope="module")
def preprocessor(folders) -> Preprocessor:
    return load_ours({name: folder for name, folder in folders.items() if name.startswith("doc_")})


@pytest.fixture(scope="module")
def detector(folders):
    return load_detector(
        LayoutSettings(layout_engine="paddlex", layout_model_dir=folders["layout_model_dir"])
    )


def page_of(number: int, turns: int) -> np.ndarray:
    """A page with its mark and regions, each in another place, turned clockwise by so many quarters."""
    left, top = 8 * number, 12 * number
    page = paint(
        [
            Painted("doc_title", (420 + left, 40 + top, 700 + left, 100 + top)),
            Painted("text", (60 + left, 440 + top, 360 + left, 560 + top)),
            Painted("table", (420 + left, 440 + top, 680 + left, 640 + top)),
        ]
    )
    page[20:380, 20:380] = MARK
    return np.ascontiguousarray(np.rot90(page, -turns))


# What a document asks for, and what becomes of its page.
ASKED: list[tuple[dict[str, Any], PreprocessingOptions | None]] = [
    ({}, None),
    ({"useDocOrientationClassify": True}, PreprocessingOptions(orientation=True, unwarping=True)),
    (
        {"useDocOrientationClassify": True, "useDocUnwarping": False},
        PreprocessingOptions(orientation=True, unwarping=False),
    ),
    (
        {"useDocUnwarping": True, "useDocOrientationClassify": False},
        PreprocessingOptions(orientation=False, unwarping=True),
    ),
]


def test_documents_that_come_together_are_each_turned_and_flattened_as_they_ask(
    turning_stack, triton, preprocessor, detector
):
    pages = [page_of(number, turns=(number * 3 + 1) % 4) for number in range(8)]

    def parse(number: int) -> dict[str, Any]:
        file = base64.b64encode(cv2.imencode(".png", pages[number])[1].tobytes()).decode()
        body = {"file": file, "visualize": False, **ASKED[number % 4][0]}
        answer = httpx.post(f"{turning_stack.url}/layout-parsing", json=body, timeout=300)
        assert answer.status_code == 200, answer.text
        (element,) = answer.json()["result"]["layoutParsingResults"]
        return element["prunedResult"]

    before = executions(triton, "document-preprocessing")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(parse, range(8)))
    for number, (answer, page) in enumerate(zip(answers, pages, strict=True)):
        options = ASKED[number % 4][1]
        image, angle = page, None
        if options is not None:
            (done,) = preprocessor.preprocess([page], [options])
            image, angle = done.image, done.angle
            assert angle == ((number * 3 + 1) % 4 * 90 if options.orientation else -1)
        (boxes,) = detector.detect([image], [LayoutOptions()])
        found = answer["layout_det_res"]["boxes"]
        assert [(each["label"], each["coordinate"]) for each in found] == [
            (box.label, list(box.coordinate)) for box in boxes
        ]
        assert answer.get("doc_preprocessor_res", {}).get("angle") == angle
        assert answer["model_settings"]["use_doc_preprocessor"] == (options is not None)
        assert (answer["width"], answer["height"]) == (image.shape[1], image.shape[0])
    assert 1 <= executions(triton, "document-preprocessing") - before <= 6


def test_boxes_are_in_the_pixels_of_the_upright_page(turning_stack):
    file = base64.b64encode(cv2.imencode(".png", page_of(0, turns=1))[1].tobytes()).decode()
    body = {"file": file, "useDocOrientationClassify": True, "useDocUnwarping": False}
    answer = httpx.post(f"{turning_stack.url}/layout-parsing", json=body, timeout=300).json()
    (element,) = answer["result"]["layoutParsingResults"]
    found = {each["label"]: each["coordinate"] for each in element["prunedResult"]["layout_det_res"]["boxes"]}
    # A turn by a general rotation moves by up to a pixel, which is up to two of the grid's steps.
    assert np.abs(np.subtract(found["doc_title"], (420, 40, 700, 100))).max() <= 4
    assert np.abs(np.subtract(found["table"], (420, 440, 680, 640))).max() <= 4
    assert set(element["outputImages"]) == {"preprocessed_img", "layout_det_res"}
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(element["inputImage"]), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown[100, 700].astype(int) - MARK).max() < 30  # as it came: the mark at the top right


def test_the_model_is_among_those_that_readiness_waits_for(triton, turning_stack):
    assert triton.is_model_ready("document-preprocessing")
    assert httpx.get(f"{turning_stack.url}/health/ready").status_code == 200


def preprocess(client: InferenceServerClient, page: np.ndarray, options: bytes) -> tuple[Any, np.ndarray]:
    inputs = [
        tensor("image", "UINT8", page[np.newaxis]),
        tensor("options", "BYTES", np.array([[options]], dtype=object)),
    ]
    answer = client.infer("document-preprocessing", inputs, client_timeout=HANG_SECONDS)
    return json.loads(answer.as_numpy("result").reshape(-1)[0]), answer.as_numpy("page")[0]


BOTH = encode_preprocessing_options(PreprocessingOptions(orientation=True, unwarping=True))


@pytest.mark.parametrize("garbage", [b"not json", b'{"no such option": 1}'])
def test_one_malformed_request_in_a_batch_is_its_own_error_and_nobody_elses(triton, preprocessor, garbage):
    pages = [page_of(number, turns=number % 4)[: 700 + 10 * number] for number in range(6)]
    pages = [np.ascontiguousarray(page) for page in pages]
    options = [BOTH] * 5 + [garbage]

    def attempt(page: np.ndarray, option: bytes) -> Any:
        try:
            return preprocess(triton, page, option)
        except InferenceServerException as error:
            return error

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(attempt, pages, options))
    assert isinstance(answers[5], InferenceServerException)
    assert answers[5].status() == "StatusCode.INVALID_ARGUMENT"
    both = PreprocessingOptions(orientation=True, unwarping=True)
    for answer, page in zip(answers[:5], pages, strict=False):
        (expected,) = preprocessor.preprocess([page], [both])
        assert answer[0] == {"angle": expected.angle}
        assert np.array_equal(answer[1], expected.image)


def test_a_page_that_is_only_turned_is_not_sent_back(triton):
    options = encode_preprocessing_options(PreprocessingOptions(orientation=True, unwarping=False))
    result, page = preprocess(triton, page_of(0, turns=2), options)
    assert result == {"angle": 180}
    assert page.shape == (1, 1, 3)


def test_a_page_that_cannot_be_flattened_is_told_and_the_next_one_is_flattened(triton, preprocessor):
    narrow = np.full((300, 20, 3), 255, np.uint8)
    flatten = encode_preprocessing_options(PreprocessingOptions(orientation=False, unwarping=True))
    result, _ = preprocess(triton, narrow, flatten)
    assert result == {"failed": True}
    (expected,) = preprocessor.preprocess([page_of(1, 0)], [preprocessor.everything])
    result, page = preprocess(triton, page_of(1, 0), BOTH)
    assert result == {"angle": 0}
    assert np.array_equal(page, expected.image)
