"""PP-DocLayoutV2's interface through every tier: documents that come together, with options of their own each."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from deploy.local.process import RunningStack, running_stack
from docparse.layout.detector import LayoutOptions
from docparse.layout.wire import encode_layout_options
from tests.networks.layout import write_config, write_layout_model
from tests.networks.palette import Painted, paint, tiff_of
from tests.tritonserver import detect_together, executions, running_triton

SIZE = 800
_MOST_ROUNDS = 20


@pytest.fixture(scope="module")
def painted_stack(tmp_path_factory) -> Iterator[RunningStack]:
    """The stack with the network that sees colours in the place of PP-DocLayoutV2, as its file says."""
    folder = tmp_path_factory.mktemp("painted")
    write_layout_model(folder / "models" / "PP-DocLayoutV2")
    file = folder / "pipeline_config.yaml"
    file.write_text(
        "pipeline_name: PaddleOCR-VL\n"
        f"SubModules: {{LayoutDetection: {{model_dir: {folder}/models/PP-DocLayoutV2, batch_size: 8}}}}\n"
    )
    with running_stack(folder / "stack.log", {"HPS_PIPELINE_CONFIG": str(file)}) as stack:
        yield stack


def regions_of(document: int, page: int) -> list[Painted]:
    """No page of any document is like another: everything is moved by its numbers."""
    across, down = 8 * document, 20 * page

    def moved(region: Painted) -> Painted:
        x1, y1, x2, y2 = region.box
        return replace(region, box=(x1 + across, y1 + down, x2 + across, y2 + down))

    return [
        moved(each)
        for each in (
            Painted("doc_title", (40, 20, 640, 60)), Painted("text", (40, 80, 320, 160)),
            Painted("table", (40, 200, 320, 440), fill=0.7), Painted("text", (440, 80, 720, 240), 1),
            Painted("image", (440, 280, 720, 560), fill=0.3),
            # One text twice, the second over the first.
            Painted("text", (40, 480, 320, 600), 2), Painted("text", (60, 500, 340, 620), 3),
            # A text in a chart.
            Painted("chart", (440, 580, 720, 700)), Painted("text", (480, 600, 600, 680), 4),
        )
    ]  # fmt: skip


TITLE, LEFT, TABLE, RIGHT, FAINT, FIRST, SECOND, CHART, INNER = range(9)
USUAL = {TITLE, LEFT, TABLE, RIGHT, SECOND, CHART}
# What a document asks for, which of the regions it gets, and how much these grow.
Growth = dict[str, tuple[float, float]]
ASKED: list[tuple[dict[str, Any], set[int], Growth]] = [
    ({}, USUAL, {}),
    ({"layoutThreshold": 0.2}, USUAL | {FAINT}, {}),
    ({"layoutThreshold": {"14": 0.2, "table": 0.9}}, (USUAL | {FAINT}) - {TABLE}, {}),
    ({"layoutUnclipRatio": [1.1, 1.25]}, USUAL, {"": (1.1, 1.25)}),
    ({"layoutUnclipRatio": {"text": 1.1, "21": [1.0, 1.2]}}, USUAL, {"text": (1.1, 1.1), "table": (1.0, 1.2)}),
    ({"layoutThreshold": {"text": 0.05}, "layoutNms": False}, USUAL | {FIRST}, {}),
    ({"layoutMergeBboxesMode": {"chart": "union"}}, USUAL | {INNER}, {}),
    ({"layoutMergeBboxesMode": "small"}, (USUAL | {INNER}) - {CHART}, {}),
]  # fmt: skip


def expected(document: int, page: int) -> list[tuple[str, list[float]]]:
    """Labels and boxes, sorted."""
    _, wanted, growth = ASKED[document]
    boxes = []
    for index in wanted:
        region = regions_of(document, page)[index]
        x1, y1, x2, y2 = region.box
        across, down = growth.get(region.label, growth.get("", (1.0, 1.0)))
        dx, dy = (x2 - x1) * (across - 1) / 2, (y2 - y1) * (down - 1) / 2
        sides = (max(0, x1 - dx), max(0, y1 - dy), min(SIZE, x2 + dx), min(SIZE, y2 + dy))
        boxes.append((region.label, [float(int(side + 1e-6)) for side in sides]))
    return sorted(boxes)


def tiff(document: int, pages: int) -> str:
    frames = [paint(regions_of(document, page)) for page in range(pages)]
    return base64.b64encode(tiff_of(frames)).decode()


def assert_pages(document: int, elements: list[dict[str, Any]], pages: int) -> None:
    assert len(elements) == pages
    for page, element in enumerate(elements):
        found = element["prunedResult"]["layout_det_res"]["boxes"]
        assert sorted((box["label"], box["coordinate"]) for box in found) == expected(document, page), (
            document, page,
        )  # fmt: skip


def test_documents_that_come_together_get_their_own_pages_by_their_own_options(painted_stack):
    pages = 4
    files = [tiff(document, pages) for document in range(8)]
    triton = InferenceServerClient(f"127.0.0.1:{painted_stack.environment['HPS_TRITON_GRPC_PORT']}")

    def parse(document: int) -> list[dict[str, Any]]:
        body = {"file": files[document], "visualize": False, "mergeLayoutBlocks": False, **ASKED[document][0]}
        answer = httpx.post(f"{painted_stack.url}/layout-parsing", json=body, timeout=300)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]["layoutParsingResults"]

    # Pages meet by chance; now and then, on a host that renders slowly, none do.
    for _ in range(_MOST_ROUNDS):
        before = executions(triton)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(parse, range(8)))
        for document, elements in enumerate(answers):
            assert_pages(document, elements, pages)
        if executions(triton) - before < 8 * pages:
            break
    else:
        raise AssertionError("no two pages ever shared a batch")
    triton.close()


def test_blocks_come_in_the_order_that_the_network_says(painted_stack):
    body = {"file": tiff(0, 1), "visualize": False}
    (element,) = httpx.post(f"{painted_stack.url}/layout-parsing", json=body, timeout=300).json()["result"][
        "layoutParsingResults"
    ]
    regions = regions_of(0, 0)
    blocks = element["prunedResult"]["parsing_res_list"]
    order = [TITLE, LEFT, TABLE, SECOND, RIGHT, CHART]
    assert [(block["block_label"], tuple(block["block_bbox"])) for block in blocks] == [
        (regions[index].label, regions[index].box) for index in order
    ]
    assert [block["block_order"] for block in blocks] == [1, 2, None, 3, 4, None]


def test_pages_that_meet_in_one_batch_are_read_by_their_own_options(painted_stack):
    """Straight to the model, over and over, so that they meet in every combination."""
    options = [
        LayoutOptions(), LayoutOptions(threshold=0.2), LayoutOptions(threshold={"table": 0.9}),
        LayoutOptions(unclip_ratio=(1.1, 1.25)), LayoutOptions(unclip_ratio={"text": (1.5, 1.5)}),
        LayoutOptions(nms=False, threshold=0.05), LayoutOptions(merge_bboxes_mode="union"),
        LayoutOptions(merge_bboxes_mode="small", shape_mode="rect"),
    ]  # fmt: skip
    raw = [encode_layout_options(each) for each in options]
    page = np.ascontiguousarray(paint(regions_of(0, 0)))
    address = f"127.0.0.1:{painted_stack.environment['HPS_TRITON_GRPC_PORT']}"
    with InferenceServerClient(address) as client:
        alone = [detect_together(client, [page], [each])[0] for each in raw]
        assert len({json.dumps(each) for each in alone}) == len(options)
        before = executions(client)
        for turn in range(6):
            order = np.random.default_rng(turn).permutation(len(raw))
            answers = detect_together(client, [page] * len(raw), [raw[index] for index in order])
            assert answers == [alone[index] for index in order]
        assert executions(client) - before < 6 * len(raw)


def test_the_file_that_was_mounted_says_how_many_share_a_batch(painted_stack):
    address = f"127.0.0.1:{painted_stack.environment['HPS_TRITON_GRPC_PORT']}"
    with InferenceServerClient(address) as client:
        assert client.get_model_config("layout-detection").config.max_batch_size == 8
    assert Path(painted_stack.environment["HPS_PIPELINE_CONFIG"]).is_file()


def test_v3_gives_outlines_through_triton(tmp_path):
    folder = write_layout_model(tmp_path / "PP-DocLayoutV3", "PP-DocLayoutV3")
    settings = {
        "HPS_LAYOUT_ENGINE": "paddlex", "HPS_LAYOUT_MODEL": "PP-DocLayoutV3", "HPS_LAYOUT_MODEL_DIR": str(folder),
    }  # fmt: skip
    corners = [(400, 300), (600, 400), (500, 600), (300, 500)]
    page = paint([Painted("image", (302, 302, 600, 600), outline=corners)])
    shapes = ("rect", "quad", "poly", "auto")
    raw = [encode_layout_options(LayoutOptions(shape_mode=shape)) for shape in shapes]
    with running_triton(tmp_path, settings) as triton, triton.client() as client:
        answers = detect_together(client, [page] * len(raw), raw)
    outlines = {shape: boxes[0]["polygon_points"] for shape, boxes in zip(shapes, answers, strict=True)}
    assert outlines["rect"] is None
    assert outlines["auto"] == outlines["quad"]
    assert len(outlines["poly"]) > len(outlines["quad"]) == 4
    for corner, painted in zip(sorted(outlines["quad"]), sorted(corners), strict=True):
        assert np.hypot(*np.subtract(corner, painted)) < 8


def test_a_model_that_triton_cannot_load_ends_it_with_the_reason(tmp_path):
    write_config(tmp_path / "model", "PP-DocLayoutV2")
    (tmp_path / "model" / "inference.onnx").write_bytes(b"no network")
    settings = {"HPS_LAYOUT_ENGINE": "paddlex", "HPS_LAYOUT_MODEL_DIR": str(tmp_path / "model")}
    with pytest.raises(AssertionError, match=r"inference\.onnx"), running_triton(tmp_path, settings):
        pass
