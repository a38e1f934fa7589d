"""What presets.toml, models.toml and flags/ say, as objects. Needs the standard library only, as engines' images do."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlm_server.refusal import Refusal
from vlm_server.toml_files import read_toml

_FOLDER = Path(__file__).parent

# Of a preset itself, not of those that extend it.
_NOT_INHERITED = ("abstract", "by_name_only")

FlagValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A flag's or variable's value, with the reason for it.

    Attributes:
        source: where it comes from, in words.
        at_most: of a value that follows the number of cores.
    """

    value: FlagValue
    why: str
    source: str
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its shape, from which its memory follows; see memory.py.

    Attributes:
        family: models that presets treat alike.
        hub_names: under which model hubs have it; the first is what engines are given.
        served_name: what clients must call it.
        fewest_gpus: by GPU and precision, where the engine's documentation says so.
    """

    name: str
    family: str
    hub_names: tuple[str, ...]
    served_name: str
    engines: tuple[str, ...]
    longest_context: int
    default_context: int
    parameters: int
    layers: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int
    vision_hidden: int = 0
    vision_intermediate: int = 0
    image_tokens: int = 0
    multimodal_flag: bool = False
    fewest_gpus: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """How to start one engine on one size of GPU.

    Attributes:
        purpose: the GPUs and cases that it is for.
        minimum_gib: memory that the GPU must have.
        compute_capability: lowest and highest that it runs on.
        entry: `command` or `module`: what of vLLM is started.
        device: `cuda` or `cpu`.
        by_name_only: never chosen by the size of a GPU.
    """

    engine: str
    name: str
    family: str
    purpose: str
    flags: Mapping[str, Choice]
    environment: Mapping[str, Choice]
    minimum_gib: float = 0.0
    gpus: int = 1
    port: int | None = None
    compute_capability: tuple[float, float] = (8.0, 99.0)
    minimum_cuda: float | None = None
    minimum_engine_version: str | None = None
    entry: str = "command"
    device: str = "cuda"
    by_name_only: bool = False


@dataclass(frozen=True, slots=True)
class FlagList:
    """The flags that an engine has, `--` included."""

    engine: str
    version: str
    switches: frozenset[str]
    values: frozenset[str]
    lists: frozenset[str]

    def __contains__(self, flag: str) -> bool:
        return flag in self.switches or flag in self.values or flag in self.lists


@functools.cache
def load_models() -> Mapping[str, Model]:
    """Every model, by name."""
    tables: dict[str, dict[str, Any]] = {}
    for table in _read("models.toml")["models"]:
        like = tables.get(table.pop("like", ""), {})
        tables[table["name"]] = {**like, **table}
    return {
        name: Model(**{key: _frozen(value) for key, value in table.items()}) for name, table in tables.items()
    }


def find_model(name: str) -> Model:
    """The model of this name, hub name (of any owner's mirror) or folder called like it.

    Raises:
        Refusal: nothing is known of it.
    """
    wanted = name.rstrip("/").rpartition("/")[2].lower()
    for model in load_models().values():
        known = [model.name, *(hub.rpartition("/")[2] for hub in model.hub_names)]
        if wanted in (each.lower() for each in known):
            return model
    raise Refusal(f"No presets for the model `{name}`. Known: {', '.join(load_models())}.")


@functools.cache
def load_presets() -> tuple[Preset, ...]:
    """Every preset, in the order of the file; abstract ones left out."""
    data = _read("presets.toml")
    sources: dict[str, str] = data["sources"]
    whole: dict[tuple[str, str, str], dict[str, Any]] = {}
    presets = []
    for table in data["presets"]:
        base = whole.get((table["engine"], table["family"], table.get("extends", "")), {})
        merged = {key: value for key, value in base.items() if key not in _NOT_INHERITED} | table
        for part in ("flags", "environment"):
            merged[part] = {**base.get(part, {}), **table.get(part, {})}
        whole[table["engine"], table["family"], table["name"]] = merged
        if not table.get("abstract"):
            presets.append(_preset(merged, sources))
    return tuple(presets)


def presets_for(engine: str, model: Model) -> list[Preset]:
    """Presets of an engine for a model; never empty.

    Raises:
        Refusal: there are none.
    """
    presets = [
        preset for preset in load_presets() if preset.engine == engine and preset.family == model.family
    ]
    if not presets:
        raise Refusal(f"{model.name} is served here by {', '.join(model.engines)}, not by {engine}.")
    return presets


def find_preset(engine: str, model: Model, name: str) -> Preset:
    """The preset of this name.

    Raises:
        Refusal: there is none; the message lists those that there are.
    """
    presets = presets_for(engine, model)
    for preset in presets:
        if preset.name == name:
            return preset
    names = ", ".join(preset.name for preset in presets)
    raise Refusal(f"There is no preset `{name}` for {model.name} on {engine}; there are: {names}.")


@functools.cache
def load_flags(engine: str) -> FlagList:
    """The flags of an engine."""
    table = _read(f"flags/{engine}.toml")
    kinds = {kind: frozenset(table[kind]) for kind in ("switches", "values", "lists")}
    return FlagList(engine=table["engine"], version=table["version"], **kinds)


def _preset(table: dict[str, Any], sources: Mapping[str, str]) -> Preset:
    def choices(part: str) -> dict[str, Choice]:
        return {
            name: Choice(**{**choice, "source": sources[choice["source"]]})
            for name, choice in table[part].items()
        }

    rest = {
        key: _frozen(value)
        for key, value in table.items()
        if key not in ("for", "extends", "flags", "environment", "abstract")
    }
    return Preset(purpose=table["for"], flags=choices("flags"), environment=choices("environment"), **rest)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _read(name: str) -> dict[str, Any]:
    return read_toml(_FOLDER / name)
