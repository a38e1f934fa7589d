"""Models that the benchmark lays over the product's own (HPS_TRITON_OVERLAY)."""

from pathlib import Path

_BENCHMARKS = Path(__file__).resolve().parents[1]
_MODELS = _BENCHMARKS / "models"
_STAND_INS = _BENCHMARKS / "stand_ins"


def lay_out_pipelines(folder: Path, *, baseline: bool) -> Path:
    """The simulated layout detector under the product's own configuration, and the baseline if it is wanted."""
    models = ["layout-detection", "reference-parsing"] if baseline else ["layout-detection"]
    return _link(folder, *(_MODELS / model for model in models))


def lay_out_stand_ins(folder: Path) -> Path:
    """Models of both wires that answer at once, for what the pipeline's own time would drown."""
    return _link(folder, _MODELS / "layout-detection", *sorted(_STAND_INS.iterdir()))


def _link(folder: Path, *models: Path) -> Path:
    folder.mkdir()
    for model in models:
        (folder / model.name).symlink_to(model)
    return folder
