"""From a preset, a configuration file and what an operator adds, to the real engine's command."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlm_server.arguments import Arguments
from vlm_server.catalogue import Choice, Model, Preset, load_flags
from vlm_server.engines import (
    ENGINES,
    LOCAL_FOLDER_ENVIRONMENT,
    VLLM_MODULE_COMMAND,
    VLLM_MODULE_MODEL_FLAG,
    Engine,
)
from vlm_server.model_folder import ARCHITECTURE, inspect_folder

# Settled by this command's own options; a configuration file that has them too is overruled, as PaddleX does it.
_OWN = ("model", "model-path", "host", "port")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be started.

    Attributes:
        folder: of weights; None takes them from a hub.
        base_folder: where files that `folder` lacks can be copied from.
        served_names: empty means the model's own.
        paddlex_clients: whether clients of PaddleX will call, which send pixel limits with each request.
        cores: that the host has.
        extra: flags in the engine's words.
        engine_version: of the installed engine; empty means a current one.
    """

    engine: str
    model: Model
    preset: Preset
    folder: Path | None = None
    base_folder: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    served_names: Sequence[str] = ()
    hub: str = "huggingface"
    paddlex_clients: bool = False
    rejection_sampling: bool = False
    cores: int = 1
    backend_config: Mapping[str, Any] = field(default_factory=dict)
    extra: Sequence[str] = ()
    engine_version: tuple[int, ...] = ()


@dataclass(slots=True)
class EngineCommand:
    """What to run.

    Attributes:
        environment: variables beside those that are there.
        reasons: of the flags and variables that a preset or this package has set.
        notes: what an operator should know.
    """

    wish: Wish
    words: list[str]
    arguments: Arguments
    environment: dict[str, str]
    reasons: dict[str, Choice]
    notes: list[str]

    @property
    def argv(self) -> list[str]:
        """The whole command."""
        return [*self.words, *self.arguments.as_list()]

    @property
    def port(self) -> int:
        """On which it serves."""
        return int(self.arguments.number("port") or 0)

    def as_shell(self) -> str:
        """The command as a person would type it, one flag a line."""
        lines = [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        lines.append(shlex.join(self.words))
        for name, value in self.arguments.flags.items():
            values = value if isinstance(value, tuple) else () if value is True else (str(value),)
            lines.append(shlex.join([f"--{name}", *values]))
        return " \\\n    ".join(lines)


def build_command(wish: Wish) -> EngineCommand:
    """Put the command together; it is not checked yet, see rules.py.

    Raises:
        Refusal: the folder of weights lacks something, or flags cannot be understood.
    """
    engine = ENGINES[wish.engine]
    command = EngineCommand(wish, [], Arguments(load_flags(wish.engine)), {}, {}, [])
    command.words = list(VLLM_MODULE_COMMAND if wish.preset.entry == "module" else engine.command)
    _add_model(command, engine)
    _add_preset(command)
    _fit_version(command)
    _fit_folder(command)
    for name, value in wish.backend_config.items():
        if name.replace("_", "-") in _OWN:
            command.notes.append(
                f"`{name}` of the configuration file gives way to this command's own option."
            )
        else:
            command.arguments.set(name, value)
    if wish.paddlex_clients and wish.engine == "vllm":
        why = "PaddleX sends pixel limits with each request, and vLLM answers 400 to them without this"
        _put(command, "trust-request-mm-kwargs", Choice(value=True, why=why, source="vLLM 0.32, run"))
    command.arguments.add_tokens(wish.extra)
    return command


def _add_model(command: EngineCommand, engine: Engine) -> None:
    wish = command.wish
    model = str(wish.folder) if wish.folder is not None else wish.model.hub_names[0]
    flag = VLLM_MODULE_MODEL_FLAG if wish.preset.entry == "module" else engine.model_flag
    if flag is None:
        command.words.append(model)
    else:
        command.arguments.set(flag, model)
    names = list(wish.served_names) or _default_names(wish.model, engine)
    command.arguments.set("served-model-name", names if len(names) > 1 else names[0])
    command.arguments.set("host", wish.host)
    command.arguments.set("port", wish.port or wish.preset.port or 8080)
    environment = dict(engine.environment)
    environment |= LOCAL_FOLDER_ENVIRONMENT if wish.folder is not None else engine.hubs[wish.hub]
    _put_variables(command, environment)


def _default_names(model: Model, engine: Engine) -> list[str]:
    """What the pipeline calls it, and what PaddleOCR's own pipeline of that version does."""
    names = dict.fromkeys([model.served_name, model.name])
    return list(names)[: engine.served_names]


def _add_preset(command: EngineCommand) -> None:
    wish = command.wish
    for name, choice in wish.preset.flags.items():
        if choice.value == "by-cores":
            count = max(1, min(choice.at_most or 1, wish.cores // 4))
            choice = Choice(count, f"{choice.why}; {wish.cores} cores", choice.source)  # noqa: PLW2901
        _put(command, name, choice)
    _put_variables(command, wish.preset.environment)
    if wish.rejection_sampling:
        why = "asked for: faster sampling that changes answers; FastDeploy is still validating it"
        _put_variables(command, {"FD_SAMPLING_CLASS": Choice("rejection", why, "FastDeploy's documentation")})


def _fit_version(command: EngineCommand) -> None:
    """FastDeploy before 2.2 must be told what later versions know or do by themselves."""
    wish = command.wish
    if wish.engine != "fastdeploy" or not wish.engine_version or wish.engine_version >= (2, 2):
        return
    if wish.model.multimodal_flag:
        source = "FastDeploy, docs/zh/best_practices/ERNIE-4.5-VL-424B-A47B-Paddle.md"
        _put(
            command,
            "enable-mm",
            Choice(value=True, why="before 2.2 pictures must be switched on", source=source),
        )
        _put(
            command, "enable-chunked-prefill", Choice(value=True, why="on by itself from 2.2", source=source)
        )


def _fit_folder(command: EngineCommand) -> None:
    wish = command.wish
    if wish.folder is None or wish.model.family != "PaddleOCR-VL":
        return
    report = inspect_folder(wish.folder, wish.engine)
    report.refuse_if_incomplete(wish.model, wish.base_folder)
    if not report.brings_code and command.arguments["trust-remote-code"]:
        command.arguments.set("trust-remote-code", None)
        command.reasons.pop("--trust-remote-code", None)
        command.notes.append(f"The folder brings no code: the engine's own {ARCHITECTURE} is used.")
    for name, why in report.wanted.items():
        command.notes.append(
            f"{name} is missing ({why}; {wish.engine} does not): {report.copy_command(wish.model, wish.base_folder)}"
        )


def _put(command: EngineCommand, name: str, choice: Choice) -> None:
    command.arguments.set(name, choice.value)
    if command.arguments[name] is not None:
        command.reasons[f"--{name}"] = choice


def _put_variables(command: EngineCommand, variables: Mapping[str, Choice]) -> None:
    for name, choice in variables.items():
        command.environment[name] = str(choice.value)
        command.reasons[name] = choice
