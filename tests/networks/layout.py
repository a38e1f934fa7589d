"""A layout network with the interface of PP-DocLayoutV2 or V3 that finds rectangles in the colours of the palette.

Inputs are PaddleX's: `im_shape` [B, 2], `image` [B, 3, 800, 800] RGB from 0 to 1, `scale_factor` [B, 2]. V2 answers
`boxes` [B*K, 8] (class, score, x1, y1, x2, y2 in page pixels, place in the reading order, votes for it) and the number
of boxes of each page; V3 has no votes, but a mask of 200 x 200 for each box, as PaddleX 3.7.2 reads it.

A colour is one box: the extent of its pixels. The score is 0.99 times the share of the extent that has the colour.
The reading order goes down the left half, then the right; what spans both halves belongs to the left.
"""

from pathlib import Path

import numpy as np
import yaml
from onnx import TensorProto

from docparse.layout.labels import LABELS
from tests.networks.graph import Graph
from tests.networks.palette import SLOTS

INPUT = 800
STEP = 2  # every second pixel is looked at, so boxes are exact on a grid of 1/400 page
SIZE = INPUT // STEP
K = len(SLOTS)


def write_layout_model(folder: Path, name: str = "PP-DocLayoutV2", **config: object) -> Path:
    """Write inference.onnx and inference.yml; `config` replaces entries of the latter."""
    _write_network(folder / "inference.onnx", with_masks=name == "PP-DocLayoutV3")
    write_config(folder, name, **config)
    return folder


def write_config(folder: Path, name: str, **config: object) -> None:
    """inference.yml as the official models have it."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "mode": "paddle", "draw_threshold": 0.5, "metric": "COCO", "use_dynamic_shape": False, "arch": "DETR",
        "min_subgraph_size": 3,
        "Preprocess": [
            {"type": "Resize", "target_size": [INPUT, INPUT], "keep_ratio": False, "interp": 2},
            {"type": "NormalizeImage", "mean": [0.0] * 3, "std": [1.0] * 3, "norm_type": "none"},
            {"type": "Permute"},
        ],
        "label_list": list(LABELS),
        "Global": {"model_name": name},
        **config,
    }  # fmt: skip
    (folder / "inference.yml").write_text(yaml.safe_dump(whole, sort_keys=False))


def _write_network(path: Path, *, with_masks: bool) -> None:
    graph = Graph()
    mask = _masks(graph)
    inner = _eroded(graph, mask)  # lines where two colours blend are no region
    present = graph.op("Cast", graph.op("Greater", _count(graph, inner), 16.0), to=TensorProto.FLOAT)
    x1, y1, x2, y2 = sides = _extents(graph, inner)
    score = graph.op("Mul", graph.op("Mul", _filled(graph, inner, sides), present), 0.99)
    order = _reading_order(graph, x1, y1, x2, present)
    height, width = _scales(graph)
    class_ids = graph.op("Add", graph.op("Mul", x1, 0.0), graph.constant([[each for _, each in SLOTS]]))
    columns = [
        class_ids, score, graph.op("Mul", x1, width), graph.op("Mul", y1, height), graph.op("Mul", x2, width),
        graph.op("Mul", y2, height), order,
    ]  # fmt: skip
    if not with_masks:
        columns.append(order)
    axis = graph.ints(2)
    boxes = graph.op("Concat", *(graph.op("Unsqueeze", column, axis) for column in columns), axis=2)
    boxes = graph.op("Reshape", boxes, graph.ints(-1, len(columns)))
    ones = graph.op("Add", graph.op("Mul", x1, 0.0), 1.0)
    counts = graph.op("Cast", graph.op("ReduceSum", ones, graph.ints(1), keepdims=0), to=TensorProto.INT32)
    outputs = {
        "boxes": (boxes, TensorProto.FLOAT, ["N", len(columns)]),
        "bbox_num": (counts, TensorProto.INT32, ["B"]),
    }
    if with_masks:
        outputs["masks"] = (_small_masks(graph, mask), TensorProto.INT32, ["N", 200, 200])
    inputs = {"im_shape": ["B", 2], "image": ["B", 3, INPUT, INPUT], "scale_factor": ["B", 2]}
    graph.save(path, inputs, outputs)


def _masks(graph: Graph) -> str:
    """[B, K, SIZE, SIZE], 1 where a pixel has the colour."""
    sampled = graph.op(
        "Slice", "image", graph.ints(0, 0), graph.ints(INPUT, INPUT), graph.ints(2, 3), graph.ints(STEP, STEP)
    )
    levels = graph.op("Round", graph.op("Mul", sampled, 3.0))
    codes = graph.op("Conv", levels, graph.constant(np.reshape([16, 4, 1], (1, 3, 1, 1))))
    wanted = graph.constant(np.reshape([code for code, _ in SLOTS], (1, K, 1, 1)))
    return graph.op("Cast", graph.op("Equal", codes, wanted), to=TensorProto.FLOAT)


def _eroded(graph: Graph, mask: str) -> str:
    outside = graph.op("Sub", 1.0, mask)
    # Padding counts as smallest, so a region at the edge of the page is not eroded there, which is as well.
    grown = graph.op("MaxPool", outside, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    return graph.op("Sub", 1.0, grown)


def _count(graph: Graph, mask: str) -> str:
    return graph.op("ReduceSum", mask, graph.ints(2, 3), keepdims=0)


def _extents(graph: Graph, inner: str) -> tuple[str, str, str, str]:
    """Sides on the grid of SIZE, each [B, K], the erosion undone."""
    rows = graph.op("ReduceMax", inner, axes=[3], keepdims=0)
    columns = graph.op("ReduceMax", inner, axes=[2], keepdims=0)

    def first(profile: str) -> str:
        place = graph.op("Cast", graph.op("ArgMax", profile, axis=2, keepdims=0), to=TensorProto.FLOAT)
        return graph.op("Sub", place, 1.0)

    def last(profile: str) -> str:
        place = graph.op("ArgMax", profile, axis=2, keepdims=0, select_last_index=1)
        return graph.op("Add", graph.op("Cast", place, to=TensorProto.FLOAT), 2.0)

    return first(columns), first(rows), last(columns), last(rows)


def _filled(graph: Graph, inner: str, sides: tuple[str, str, str, str]) -> str:
    """Share of the extent that has the colour."""
    x1, y1, x2, y2 = sides
    width = graph.op("Sub", graph.op("Sub", x2, x1), 2.0)
    height = graph.op("Sub", graph.op("Sub", y2, y1), 2.0)
    return graph.op("Div", _count(graph, inner), graph.op("Max", graph.op("Mul", width, height), 1.0))


def _reading_order(graph: Graph, x1: str, y1: str, x2: str, present: str) -> str:
    """[B, K], how many regions come before."""
    starts_right = graph.op("Greater", x1, 0.494 * SIZE)
    wide = graph.op("Greater", graph.op("Sub", x2, x1), 0.6 * SIZE)
    right = graph.op("Cast", graph.op("And", starts_right, graph.op("Not", wide)), to=TensorProto.FLOAT)
    key = graph.op(
        "Add", graph.op("Mul", right, 10.0 * SIZE), graph.op("Add", y1, graph.op("Mul", x1, 0.001))
    )
    mine, others = graph.op("Unsqueeze", key, graph.ints(2)), graph.op("Unsqueeze", key, graph.ints(1))
    before = graph.op("Cast", graph.op("Less", others, mine), to=TensorProto.FLOAT)
    counted = graph.op("Mul", before, graph.op("Unsqueeze", present, graph.ints(1)))
    return graph.op("ReduceSum", counted, graph.ints(2), keepdims=0)


def _scales(graph: Graph) -> tuple[str, str]:
    """Page pixels for each step of the grid, down and across, each [B, 1]."""
    original = graph.op("Floor", graph.op("Add", graph.op("Div", "im_shape", "scale_factor"), 0.5))
    scales = graph.op("Div", original, float(SIZE))

    def part(index: int) -> str:
        return graph.op("Slice", scales, graph.ints(index), graph.ints(index + 1), graph.ints(1))

    return part(0), part(1)


def _small_masks(graph: Graph, mask: str) -> str:
    step = SIZE // 200
    small = graph.op(
        "Slice", mask, graph.ints(0, 0), graph.ints(SIZE, SIZE), graph.ints(2, 3), graph.ints(step, step)
    )
    whole = graph.op("Cast", small, to=TensorProto.INT32)
    return graph.op("Reshape", whole, graph.ints(-1, 200, 200))
