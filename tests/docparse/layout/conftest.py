from pathlib import Path
from typing import Any

import pytest
from paddlex.inference import create_predictor

from docparse.layout.cdla import CdlaDetector
from docparse.layout.engines import load_detector
from docparse.layout.settings import LayoutSettings
from tests.docparse.layout.painted import V2, V3
from tests.networks.layout import write_layout_model


@pytest.fixture(scope="session")
def detector() -> CdlaDetector:
    return CdlaDetector(intra_op_threads=2)


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("layout")
    return {name: write_layout_model(folder / name, name) for name in (V2, V3)}


@pytest.fixture(scope="session")
def detectors(folders) -> dict[str, Any]:
    return {
        name: load_detector(
            LayoutSettings(layout_engine="paddlex", layout_model=name, layout_model_dir=folder)
        )
        for name, folder in folders.items()
    }


@pytest.fixture(scope="session")
def paddlex(folders) -> dict[str, Any]:
    """PaddleX's own predictors, with what the pipeline of PaddleOCR-VL gives them."""
    modes = dict.fromkeys(range(25), "union") | dict.fromkeys((3, 5, 6, 15, 17), "large")
    thresholds = dict.fromkeys(range(25), 0.5) | dict.fromkeys((5, 6, 15, 17, 22, 23), 0.4) | {20: 0.45}
    return {
        name: create_predictor(
            name, model_dir=str(folder), engine="onnxruntime", device="cpu", batch_size=8,
            threshold=thresholds if name == V2 else 0.3, layout_nms=True, layout_unclip_ratio=[1.0, 1.0],
            layout_merge_bboxes_mode=modes,
        )
        for name, folder in folders.items()
    }  # fmt: skip
