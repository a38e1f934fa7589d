"""Model repositories of the benchmark: the product's own models, with stand-ins where they are wanted."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PRODUCT = _ROOT / "triton_models" / "model_repository"
_OURS = _ROOT / "benchmarks" / "models"
_STAND_INS = _ROOT / "benchmarks" / "stand_ins"


def lay_out_pipelines(folder: Path, *, baseline: bool) -> Path:
    """The product's models over the simulated layout detector, and the baseline's model if it is wanted.

    The detector has the product's own configuration, so its batches form as the product's do.
    """
    folder.mkdir(parents=True)
    for model in _PRODUCT.iterdir():
        if model.name != "layout-detection":
            (folder / model.name).symlink_to(model)
    detection = folder / "layout-detection"
    detection.mkdir()
    (detection / "config.pbtxt").symlink_to(_PRODUCT / "layout-detection" / "config.pbtxt")
    (detection / "1").symlink_to(_OURS / "layout-detection" / "1")
    if baseline:
        (folder / "reference-parsing").symlink_to(_OURS / "reference-parsing")
    return folder


def lay_out_stand_ins(folder: Path) -> Path:
    """Models of the same wires that answer at once, for what the pipeline's own time would drown."""
    folder.mkdir(parents=True)
    for model in _PRODUCT.iterdir():
        stand_in = _STAND_INS / model.name
        (folder / model.name).symlink_to(stand_in if stand_in.exists() else model)
    (folder / "reference-parsing").symlink_to(_STAND_INS / "reference-parsing")
    return folder
