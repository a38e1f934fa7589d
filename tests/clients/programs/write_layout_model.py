"""write_layout_model.py FOLDER: a model with PP-DocLayoutV2's interface that finds the same form on every page.

A paragraph, a table and a formula, one below the other (see form.py). Runs where onnx is.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

LABELS = (
    "abstract", "algorithm", "aside_text", "chart", "content", "display_formula", "doc_title", "figure_title", "footer",
    "footer_image", "footnote", "formula_number", "header", "header_image", "image", "inline_formula", "number",
    "paragraph_title", "reference", "reference_content", "seal", "table", "text", "vertical_text", "vision_footnote",
)  # fmt: skip
# Label, and left, top, right, bottom in parts of the page.
FORM = (
    ("text", 0.1, 0.05, 0.9, 0.3),
    ("table", 0.1, 0.35, 0.9, 0.65),
    ("display_formula", 0.1, 0.7, 0.9, 0.85),
)


def build() -> onnx.ModelProto:
    """Outputs of the real one: class, score, four corners in pixels, place in the reading order and its votes."""
    rows = [[LABELS.index(label), 0.95, *box, place, 1] for place, (label, *box) in enumerate(FORM)]
    # Corners are scaled by the page's sides; the other columns by 1.
    constants = {
        "rows": np.array(rows, np.float32)[np.newaxis],
        "ones2": np.ones((1, 2), np.float32),
        "width_first": np.array([1, 0, 1, 0], np.int64),
        "row_axis": np.array([1], np.int64),
        "flat": np.array([-1, 8], np.int64),
        "count": np.array([len(FORM)], np.float32),
        "zero": np.array(0, np.float32),
        "first": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node("Div", ["im_shape", "scale_factor"], ["page"]),
        helper.make_node("Round", ["page"], ["sides"]),  # height, width
        helper.make_node("Gather", ["sides", "width_first"], ["corners"], axis=1),
        helper.make_node("Mul", ["sides", "zero"], ["zeros2"]),
        helper.make_node("Add", ["zeros2", "ones2"], ["plain"]),
        helper.make_node("Concat", ["plain", "corners", "plain"], ["scale"], axis=1),
        helper.make_node("Unsqueeze", ["scale", "row_axis"], ["scales"]),
        helper.make_node("Mul", ["rows", "scales"], ["found"]),
        helper.make_node("Reshape", ["found", "flat"], ["boxes"]),
        helper.make_node("Gather", ["plain", "first"], ["one_each"], axis=1),
        helper.make_node("Mul", ["one_each", "count"], ["counts"]),
        helper.make_node("Squeeze", ["counts", "row_axis"], ["numbers"]),
        helper.make_node("Cast", ["numbers"], ["bbox_num"], to=TensorProto.INT32),
    ]
    value = helper.make_tensor_value_info
    inputs = [
        value("im_shape", TensorProto.FLOAT, ["B", 2]),
        value("image", TensorProto.FLOAT, ["B", 3, 800, 800]),
        value("scale_factor", TensorProto.FLOAT, ["B", 2]),
    ]
    outputs = [value("boxes", TensorProto.FLOAT, ["N", 8]), value("bbox_num", TensorProto.INT32, ["B"])]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "form", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    onnx.save(build(), folder / "inference.onnx")
    preprocess = [
        {"type": "Resize", "target_size": [800, 800], "keep_ratio": False, "interp": 2},
        {"type": "NormalizeImage", "mean": [0.0] * 3, "std": [1.0] * 3, "norm_type": "none"},
        {"type": "Permute"},
    ]
    settings = {
        "mode": "paddle", "draw_threshold": 0.5, "metric": "COCO", "use_dynamic_shape": False, "arch": "DETR",
        "min_subgraph_size": 3, "Preprocess": preprocess, "label_list": list(LABELS),
        "Global": {"model_name": "PP-DocLayoutV2"},
    }  # fmt: skip
    (folder / "inference.yml").write_text(yaml.safe_dump(settings, sort_keys=False))


if __name__ == "__main__":
    main()
