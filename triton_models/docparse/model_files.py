"""Whether the files of a PaddleX model are where they should be, told before anything is loaded."""

from collections.abc import Mapping
from pathlib import Path

import yaml

# What each of PaddleX's engines opens; one of the alternatives is enough.
_WEIGHTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "onnxruntime": (("inference.onnx",),),
    "paddle_static": (
        ("inference.json", "inference.pdiparams"),
        ("inference.pdmodel", "inference.pdiparams"),
    ),
    "paddle_dynamic": (("model.safetensors",), ("model_state.pdparams",), ("inference.pdparams",)),
    "transformers": (("model.safetensors", "config.json"),),
}


def find_file_problems(folder: Path, model: str, engine: str) -> list[str]:
    """What is missing or wrong, as sentences; empty when PaddleX will find what it looks for.

    Args:
        folder: of the model.
        model: PaddleX's name of it.
        engine: PaddleX's name of the inference engine.
    """
    where = folder.resolve()
    if not folder.is_dir():
        return [f"the folder {where} of {model} is not there"]
    problems = []
    config = folder / "inference.yml"
    if not config.is_file():
        problems.append(f"{where} has no inference.yml")
    elif (name := _model_name(config)) != model:
        problems.append(f"{where / 'inference.yml'} is of {name or 'no model'}, not of {model}")
    sets = _WEIGHTS.get(engine, ())
    if sets and not any(all((folder / file).is_file() for file in files) for files in sets):
        wanted = " or ".join(" and ".join(files) for files in sets)
        problems.append(f"{where} has no {wanted}, which the engine {engine} needs")
    return problems


def _model_name(config: Path) -> str | None:
    try:
        loaded = yaml.safe_load(config.read_text(encoding="utf-8"))
        return str(loaded["Global"]["model_name"])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return None
