"""Builds small ONNX networks node by node."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What every ONNX Runtime of these years reads.
OPSET, IR_VERSION = 17, 9


class Graph:
    """Nodes are named by number; an operator's method returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, operator: str, *inputs: str | float, **attributes: Any) -> str:
        """Numbers among the inputs become constants."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def save(
        self, path: Path, inputs: dict[str, list[Any]], outputs: dict[str, tuple[str, int, list[Any]]]
    ) -> None:
        """Write the network.

        Args:
            path: of the file.
            inputs: shapes of float inputs by name; letters for what varies.
            outputs: by name: the value, its element type and shape.
        """
        for name, (value, _, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self._nodes,
            path.stem,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, kind, shape) for name, (_, kind, shape) in outputs.items()],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)
