"""PaddleX's own document preprocessor on the same small networks."""

from pathlib import Path
from typing import Any

import numpy as np
from paddlex.inference import create_pipeline

from docparse.preprocessing import PreprocessingSettings
from docparse.preprocessing.preprocessor import Preprocessor
from tests.networks.preprocessing import MARK, write_orientation_model, write_unwarping_model


def write_models(folder: Path) -> dict[str, Path]:
    """Folders by the names of their settings."""
    return {
        "doc_orientation_model_dir": write_orientation_model(folder / "orientation"),
        "doc_unwarping_model_dir": write_unwarping_model(folder / "unwarping"),
    }


def load_ours(folders: dict[str, Path]) -> Preprocessor:
    return Preprocessor(PreprocessingSettings(**folders))


def load_paddlex(folders: dict[str, Path]) -> Any:
    config = {
        "pipeline_name": "doc_preprocessor",
        "batch_size": 8,
        "use_doc_orientation_classify": "doc_orientation_model_dir" in folders,
        "use_doc_unwarping": "doc_unwarping_model_dir" in folders,
        "SubModules": {
            name: {"model_name": model, "model_dir": str(folders[folder])}
            for name, model, folder in (
                ("DocOrientationClassify", "PP-LCNet_x1_0_doc_ori", "doc_orientation_model_dir"),
                ("DocUnwarping", "UVDoc", "doc_unwarping_model_dir"),
            )
            if folder in folders
        },
    }
    return create_pipeline(config=config, device="cpu", engine="onnxruntime")


def marked_page(width: int = 300, height: int = 240, turns: int = 0, seed: int = 0) -> np.ndarray:
    """A noisy page, the quarter at its top left red; turned clockwise by so many quarters."""
    page = np.random.default_rng(seed).integers(150, 255, (height, width, 3), dtype=np.uint8)
    page[: height // 2, : width // 2] = MARK
    return np.ascontiguousarray(np.rot90(page, -turns))
