"""What we rely on in PaddleX's models though it is not public API: a version that changes it fails here first."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from paddlex.inference import create_predictor
from paddlex.inference.common.batch_sampler.image_batch_sampler import ImageBatchSampler, ImgBatch
from paddlex.inference.models.layout_analysis import predictor as layout
from paddlex.inference.models.layout_analysis.processors import SKIP_ORDER_LABELS, LayoutAnalysisProcess
from paddlex.inference.models.runners.onnxruntime_runner import ONNXRuntimeRunnerConfig

from docparse.layout.labels import UNORDERED_LABELS
from docparse.pipeline_config import reading
from tests.networks.layout import write_layout_model

CONFIGS = Path(inspect.getfile(create_predictor)).parents[2] / "configs" / "pipelines"


def test_a_predictor_is_made_from_what_we_give():
    parameters = inspect.signature(create_predictor).parameters
    assert {"model_name", "model_dir", "device", "engine", "engine_config"} <= set(parameters)
    assert {
        "intra_op_num_threads", "inter_op_num_threads", "log_severity_level", "enable_cpu_mem_arena",
    } <= set(ONNXRuntimeRunnerConfig.model_fields)  # fmt: skip


def test_post_processing_takes_what_we_give():
    assert list(inspect.signature(LayoutAnalysisProcess.__call__).parameters) == [
        "self", "batch_outputs", "datas", "threshold", "layout_nms", "layout_unclip_ratio",
        "layout_merge_bboxes_mode", "layout_shape_mode", "filter_overlap_boxes", "skip_order_labels",
    ]  # fmt: skip
    assert set(SKIP_ORDER_LABELS) == UNORDERED_LABELS


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (layout.LayoutAnalysisRunnerPredictor, "post_op"),
        (layout.LayoutAnalysisTransformersPredictor, "layout_postprocess"),
    ],
)
def test_either_predictor_calls_its_post_processing_once_for_a_batch_and_answers_what_it_says(kind, name):
    """So that something else can be put in its place."""
    source = inspect.getsource(kind.process)
    assert source.count(f"self.{name}(") == 1
    assert f"boxes = self.{name}(" in source
    assert '"boxes": boxes,' in source
    assert list(inspect.signature(kind.process).parameters)[:3] == ["self", "batch_data", "threshold"]


def test_a_batch_is_what_paddlex_would_make_of_arrays():
    page = np.zeros((4, 5, 3), np.uint8)
    (theirs,) = ImageBatchSampler(batch_size=2)([page])
    ours = ImgBatch()
    ours.append(page, None, None, None)
    assert vars(ours).keys() == vars(theirs).keys()
    for name, value in vars(theirs).items():
        assert getattr(ours, name) == value


def test_a_page_that_is_no_array_is_left_out_without_a_word():
    """Why batches are not made by PaddleX's sampler: the answers of the others would move up."""
    page = np.zeros((4, 5, 3), np.uint8)
    batches = list(ImageBatchSampler(batch_size=8)([page, None, page]))
    assert [len(batch.instances) for batch in batches] == [2]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("PaddleOCR-VL", "PaddleOCR-VL"),
        ("PaddleOCR-VL-1.5", "PaddleOCR-VL-1.5"),
        ("PaddleOCR-VL-1.5", "PaddleOCR-VL-1.6"),
    ],
)
def test_the_values_that_we_ship_are_paddlexs(ours, theirs):
    shipped = reading.parse_pipeline_config(Path(reading.__file__).parent / f"{ours}.yaml")
    original = reading.parse_pipeline_config(CONFIGS / f"{theirs}.yaml")
    differing = {
        name
        for name in type(shipped).model_fields
        if getattr(shipped, name) != getattr(original.over(shipped), name)
    }
    names = {"pipeline_name", "sub_modules"} if theirs.endswith("1.6") else set()
    assert differing == names  # 1.6 has another VLM
    assert shipped.layout == original.over(shipped).layout
    # What PaddleX's file leaves out is the default of its code.
    loaded = yaml.safe_load((CONFIGS / f"{theirs}.yaml").read_text())
    assert "use_ocr_for_image_block" not in loaded
    assert shipped.use_ocr_for_image_block is False


def test_a_model_is_loaded_and_run_without_the_network(tmp_path):
    folder = write_layout_model(tmp_path / "model")
    code = f"""
import socket
def refuse(*_, **__): raise AssertionError("the network was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import numpy as np
from pathlib import Path
from docparse.paddlex_models import BoxRules, LayoutModel, ModelPlace
model = LayoutModel(ModelPlace("PP-DocLayoutV2", Path({str(folder)!r})))
(raw,) = model.run([np.zeros((9, 9, 3), np.uint8)])
print(model.read_boxes(raw, BoxRules(0.5, True, None, None, "auto")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={
            "PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path), "PATH": "",
            "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True", "PADDLE_PDX_CACHE_HOME": str(tmp_path / "cache"),
        },
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
