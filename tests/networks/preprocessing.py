"""Networks with the interfaces of PP-LCNet_x1_0_doc_ori and UVDoc that do something simple and exact."""

from pathlib import Path

import numpy as np
import yaml
from onnx import TensorProto

from tests.networks.graph import Graph

ANGLES = ("0", "90", "180", "270")
# Where the mark of an upright page lies once the page is turned so that it takes this angle to turn it back.
# Quadrants are counted from the top left, row by row.
_QUADRANTS = {"0": 0, "90": 1, "180": 3, "270": 2}
MARK = (0, 0, 255)  # BGR


def write_orientation_model(folder: Path) -> Path:
    """Tells how to turn a page by the quadrant with the most red in it: the top left one when it is upright."""
    graph = Graph()
    kernel = np.zeros((1, 3, 112, 112), np.float32)
    kernel[0, 0], kernel[0, 1] = 1 / 112**2, -1 / 112**2  # red, where it is not white
    redness = graph.op("Conv", "x", graph.constant(kernel), strides=[112, 112])
    quadrants = graph.op("Reshape", redness, graph.ints(-1, 4))
    order = graph.ints(*(_QUADRANTS[angle] for angle in ANGLES))
    scores = graph.op("Softmax", graph.op("Mul", graph.op("Gather", quadrants, order, axis=1), 10.0), axis=1)
    graph.save(
        folder / "inference.onnx",
        {"x": ["B", 3, 224, 224]},
        {"fetch_name_0": (scores, TensorProto.FLOAT, ["B", 4])},
    )
    config = {
        "Global": {"model_name": "PP-LCNet_x1_0_doc_ori"},
        "PreProcess": {
            "transform_ops": [
                {"ResizeImage": {"resize_short": 256}},
                {"CropImage": {"size": 224}},
                {
                    "NormalizeImage": {
                        "channel_num": 3, "mean": [0.485, 0.456, 0.406], "order": "",
                        "scale": 0.00392156862745098, "std": [0.229, 0.224, 0.225],
                    }
                },
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {"Topk": {"topk": 1, "label_list": list(ANGLES)}},
    }  # fmt: skip
    (folder / "inference.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder


def write_unwarping_model(folder: Path) -> Path:
    """Moves the page 40 pixels to the right, what leaves it coming in on the left. Narrower pages it fails on."""
    graph = Graph()
    left = graph.op("Slice", "image", graph.ints(-40), graph.ints(2**31), graph.ints(3))
    right = graph.op("Slice", "image", graph.ints(0), graph.ints(-40), graph.ints(3))
    moved = graph.op("Concat", left, right, axis=3)
    column = graph.op("Gather", "image", graph.ints(39), axis=3)  # which a narrower page does not have
    moved = graph.op("Add", moved, graph.op("Mul", column, 0.0))
    shape: list[object] = ["B", 3, "H", "W"]
    graph.save(
        folder / "inference.onnx", {"image": shape}, {"fetch_name_0": (moved, TensorProto.FLOAT, shape)}
    )
    config = {"Global": {"model_name": "UVDoc"}}
    (folder / "inference.yml").write_text(yaml.safe_dump(config))
    return folder
