"""A folder of weights, as training leaves it or a hub's download does: is everything there that an engine reads?"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlm_server.catalogue import Model
from vlm_server.refusal import Refusal

ARCHITECTURE = "PaddleOCRVLForConditionalGeneration"
_IMAGE_PROCESSOR = "PaddleOCRVLImageProcessor"

# Files whose `auto_map` names Python modules of the folder, which `--trust-remote-code` imports.
_WITH_CODE = ("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer_config.json")


@dataclass(slots=True)
class FolderReport:
    """What a folder lacks.

    Attributes:
        brings_code: whether there is anything for `--trust-remote-code` to run.
        missing: files without which the engine does not start, each with what reads it.
        wanted: files that the engine does without, but other tools do not.
        problems: what copying does not mend.
    """

    folder: Path
    brings_code: bool = False
    missing: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def refuse_if_incomplete(self, model: Model, base: Path | None) -> None:
        """Raise a Refusal that says which files to copy, and how."""
        problems = list(self.problems)
        if self.missing:
            listed = "; ".join(f"{name} ({why})" for name, why in self.missing.items())
            problems.append(f"{self.folder} lacks files that training does not write: {listed}.")
            problems.append(f"Copy them from the base model: {self.copy_command(model, base)}")
        if problems:
            raise Refusal(problems)

    def copy_command(self, model: Model, base: Path | None) -> str:
        """A shell line that brings what is missing and wanted."""
        names = [*self.missing, *self.wanted]
        if base is None:
            words = ["hf", "download", model.hub_names[0], *names, "--local-dir", str(self.folder)]
        else:
            words = ["cp", *(str(base / name) for name in names), str(self.folder)]
        return shlex.join(words)


def inspect_folder(folder: Path, engine: str) -> FolderReport:
    """Look through a PaddleOCR-VL folder for `engine`.

    Raises:
        Refusal: it is no folder of weights at all.
    """
    config = _read_config(folder)
    report = FolderReport(folder)
    modules = {name: set(_modules(_read_json(folder / name) or {})) for name in _WITH_CODE}
    report.brings_code = any(modules.values())
    _check_weights(folder, report)
    architectures = config.get("architectures") or []
    if ARCHITECTURE not in architectures:
        report.problems.append(
            f"config.json names the architecture {', '.join(architectures) or 'nothing'}, not {ARCHITECTURE}."
        )
    _check_processor(folder, report)
    _check_tokenizer(folder, engine, report)
    if not (folder / "inference.yml").exists():
        report.wanted["inference.yml"] = "PaddleOCR reads it when it loads the folder itself"
    if engine in ("vllm", "sglang"):
        for name, needed in modules.items():
            for module in sorted(needed):
                if not (folder / module).exists():
                    report.missing[module] = f"`auto_map` of {name} names it"
    return report


def is_local(model: str) -> bool:
    """Whether this names a folder rather than a model of a hub."""
    return Path(model).is_dir() or model.startswith(("/", "./", "../", "~"))


def _read_config(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise Refusal(f"The model folder {folder} does not exist.")
    if (folder / "adapter_config.json").exists():
        raise Refusal(f"{folder} holds a LoRA adapter, not a model: merge it with its base model first.")
    config = _read_json(folder / "config.json")
    if config is not None:
        return config
    inner = sorted(path.parent.name for path in folder.glob("*/config.json"))
    hint = f" Did you mean one of its folders: {', '.join(inner)}?" if inner else ""
    raise Refusal(f"{folder} has no config.json that can be read, so it holds no model.{hint}")


def _check_weights(folder: Path, report: FolderReport) -> None:
    index = _read_json(folder / "model.safetensors.index.json")
    if index is not None:
        parts = sorted(set(index.get("weight_map", {}).values()))
        lost = [part for part in parts if not (folder / part).exists()]
        if lost:
            report.problems.append(
                f"Weights named by model.safetensors.index.json are missing: {', '.join(lost)}."
            )
        return
    if not any(folder.glob("*.safetensors")):
        paddle = (
            " There are .pdparams: train with `save_to_hf: true`." if any(folder.glob("*.pdparams")) else ""
        )
        report.problems.append(f"{folder} holds no weights in safetensors form.{paddle}")


def _check_processor(folder: Path, report: FolderReport) -> None:
    processor = _read_json(folder / "preprocessor_config.json")
    if processor is None:
        report.missing["preprocessor_config.json"] = "how pictures are prepared"
    elif not processor.get("auto_map") and processor.get("image_processor_type") != _IMAGE_PROCESSOR:
        report.missing["preprocessor_config.json"] = (
            f"yours names {processor.get('image_processor_type')}, not {_IMAGE_PROCESSOR}, as older weights did"
        )
    tokenizer = _read_json(folder / "tokenizer_config.json") or {}
    templates = (folder / "chat_template.jinja", folder / "chat_template.json")
    if not any(path.exists() for path in templates) and not tokenizer.get("chat_template"):
        report.missing["chat_template.jinja"] = "how prompt and picture become one text"


def _check_tokenizer(folder: Path, engine: str, report: FolderReport) -> None:
    if not (folder / "tokenizer_config.json").exists():
        report.missing["tokenizer_config.json"] = "the tokenizer's settings"
    has_sentencepiece = (folder / "tokenizer.model").exists()
    if not (folder / "tokenizer.json").exists() and not (engine == "fastdeploy" and has_sentencepiece):
        report.missing["tokenizer.json"] = "the fast tokenizer"


def _modules(config: dict[str, Any]) -> Iterator[str]:
    for target in (config.get("auto_map") or {}).values():
        for name in target if isinstance(target, list) else [target]:
            # `owner/repository--module.Class` comes from a hub.
            if isinstance(name, str) and "--" not in name:
                yield f"{name.partition('.')[0]}.py"


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
