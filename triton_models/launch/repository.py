"""Lays out a model repository for one Triton: our models, those that are asked for, as often as they are asked for."""

import compileall
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from launch.models import TritonModel
from launch.server import STUB, Server

SOURCE = Path(__file__).resolve().parents[1] / "model_repository"

# In HPS_TRITON_DIR, where there may be other things: only what is in a folder of this name is ever deleted.
OWN_FOLDER = "paddleocr-vl-triton"

_INSTANCE_GROUP = re.compile(r"^instance_group \[.*\]$", re.MULTILINE)
_BATCH_SIZE = re.compile(r"^max_batch_size: [1-9][0-9]*$", re.MULTILINE)


def make_own_folder(place: Path) -> Path:
    """A new folder in `place` for all that is laid out, instead of the one of a Triton before."""
    folder = place / OWN_FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def lay_out_models(models: Iterable[TritonModel], folder: Path) -> Path:
    """Write a repository with these models into the new `folder`.

    Triton loads every folder of a repository.
    """
    folder.mkdir()
    for model in models:
        source, target = SOURCE / model.name, folder / model.name
        target.mkdir()
        _lay_out_version(source / "1", target / "1")
        (target / "config.pbtxt").write_text(configure((source / "config.pbtxt").read_text(), model))
    return folder


def overlay_models(overlay: Path, folder: Path) -> None:
    """Add the models of `overlay` to the repository in `folder`; one that is there gets the other code."""
    for source in sorted(path for path in overlay.iterdir() if path.is_dir()):
        target = folder / source.name
        target.mkdir(exist_ok=True)
        for part in source.iterdir():
            if part.is_dir():
                shutil.rmtree(target / part.name, ignore_errors=True)
                _lay_out_version(part, target / part.name)
            else:
                shutil.copyfile(part, target / part.name)


def _lay_out_version(source: Path, target: Path) -> None:
    """A version of a model in which nothing changes while it runs, for Triton loads what has changed anew.

    It holds links, so that a model's code finds what lies beside it; and what Python would write when it first runs
    the code.
    """
    target.mkdir()
    for part in source.iterdir():
        if part.name != "__pycache__":
            (target / part.name).symlink_to(part.resolve())
    compileall.compile_dir(target, maxlevels=0, quiet=1)


def configure(config: str, model: TritonModel) -> str:
    """A model's config.pbtxt with what the settings say in place of its defaults."""
    place = "KIND_CPU" if model.gpu is None else f"KIND_GPU gpus: [ {model.gpu} ]"
    group = f"instance_group [ {{ count: {model.instances} kind: {place} }} ]"
    config = _replace(_INSTANCE_GROUP, group, config)
    if model.batch_size is None:
        return config
    return _replace(_BATCH_SIZE, f"max_batch_size: {model.batch_size}", config)


def lay_out_backends(server: Server, folder: Path) -> Path:
    """Write the new `folder` for the server's Python backend, whose stub may come from elsewhere."""
    backend = folder / "python"
    backend.mkdir(parents=True)
    for file in server.backend_files:
        (backend / file.name).symlink_to(file.resolve())
    if not (backend / STUB).exists():
        raise FileNotFoundError(f"{server.binary} has no {STUB}")
    return folder


def _replace(line: re.Pattern[str], new: str, config: str) -> str:
    changed, times = line.subn(new, config)
    if times != 1:
        raise ValueError(f"config.pbtxt has {times} lines like {line.pattern}, not one")
    return changed
