"""`--engine vllm`, `fastdeploy` or `sglang`: put the engine's command together, check it, print it or become it."""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vlm_server.arguments import read_backend_config
from vlm_server.catalogue import Model, Preset, find_model, find_preset, load_models, presets_for
from vlm_server.command import EngineCommand, Wish, build_command
from vlm_server.engines import ENGINES
from vlm_server.gpus import Gpu
from vlm_server.model_folder import ARCHITECTURE, is_local
from vlm_server.plan_command import add_gpu_arguments, chosen_gpu
from vlm_server.planning import make_plan
from vlm_server.refusal import Refusal
from vlm_server.rules import find_problems, find_warnings, taken_ports

_REFUSED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of real engines to `parser`."""
    parser.add_argument(
        "--model", default="PaddleOCR-VL-0.9B", help="name, name on a hub, or folder of weights"
    )
    parser.add_argument("--preset", help="from presets.toml; without it the one that fits the GPU")
    parser.add_argument(
        "--model-dir", type=Path, metavar="DIR", help="fine-tuned weights of --model to serve instead"
    )
    parser.add_argument(
        "--base-model-dir",
        type=Path,
        metavar="DIR",
        help="the base model, to say how to copy what --model-dir lacks",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 in a container; this machine only by default"
    )
    parser.add_argument("--port", type=int, help="8080, or what the preset publishes")
    parser.add_argument(
        "--served-model-name", nargs="+", default=[], metavar="NAME", help="what clients call it"
    )
    parser.add_argument("--hub", choices=["huggingface", "modelscope"], default="huggingface")
    parser.add_argument(
        "--backend_config", "--backend-config", metavar="FILE", help="as for `paddleocr genai_server`"
    )
    parser.add_argument(
        "--paddlex-clients",
        action="store_true",
        help="PaddleX's own client will call, which sends pixel limits",
    )
    parser.add_argument(
        "--rejection-sampling", action="store_true", help="FastDeploy: faster, changes answers"
    )
    parser.add_argument(
        "--engine-version", default="", metavar="X.Y", help="of the engine, where it is an old one"
    )
    parser.add_argument(
        "--print", nargs="?", const="shell", choices=["shell", "json"], help="do not start it"
    )
    parser.add_argument("--force", action="store_true", help="start it in spite of what is found wrong")
    add_gpu_arguments(parser)


def run(arguments: argparse.Namespace, extra: Sequence[str]) -> int:
    """Print the command, or become the engine. Returns 2 when it is refused."""
    try:
        command, problems = _prepare(arguments, extra)
    except Refusal as refusal:
        return _refuse(refusal.problems)
    for note in command.notes:
        print(f"note: {note}", file=sys.stderr)
    if arguments.force:
        for problem in problems:
            print(f"warning: {problem}", file=sys.stderr)
    elif problems:
        return _refuse(problems)
    if arguments.print == "json":
        print(json.dumps(_as_data(command), indent=1, ensure_ascii=False))
    elif arguments.print:
        print(command.as_shell())
    else:
        return _become(command)
    return 0


def _prepare(arguments: argparse.Namespace, extra: Sequence[str]) -> tuple[EngineCommand, list[str]]:
    engine = ENGINES[arguments.engine]
    model, folder = _find_model(arguments)
    if len(arguments.served_model_name) > engine.served_names:
        raise Refusal(f"A model of {arguments.engine} has one name; --served-model-name has several.")
    gpu, count = _find_gpu(arguments)
    wish = Wish(
        engine=arguments.engine,
        model=model,
        preset=_named_preset(arguments, model),
        folder=folder,
        base_folder=arguments.base_model_dir,
        host=arguments.host,
        port=arguments.port,
        served_names=tuple(arguments.served_model_name),
        hub=arguments.hub,
        paddlex_clients=arguments.paddlex_clients,
        rejection_sampling=arguments.rejection_sampling,
        cores=arguments.cores,
        backend_config=read_backend_config(arguments.backend_config) if arguments.backend_config else {},
        extra=tuple(extra),
        engine_version=_read_version(arguments.engine_version),
    )
    layout_here = not arguments.layout_elsewhere
    if arguments.preset is None:
        wish = replace(wish, preset=_fitting_preset(wish, gpu, count, layout_here=layout_here))
    command = build_command(wish)
    if gpu is not None and wish.preset.gpus > count:
        raise Refusal(f"Preset {wish.preset.name} needs {wish.preset.gpus} GPUs; there are {count}.")
    problems = find_problems(command, gpu, layout_here=layout_here)
    if not problems:
        command.notes += find_warnings(command, gpu, layout_here=layout_here)
    if not arguments.print:
        problems += taken_ports(command)
    return command, problems


def _find_model(arguments: argparse.Namespace) -> tuple[Model, Path | None]:
    """The model, and the folder that its weights are in."""
    if arguments.model_dir is not None:
        return find_model(arguments.model), arguments.model_dir.expanduser()
    if not is_local(arguments.model):
        return find_model(arguments.model), None
    folder = Path(arguments.model).expanduser()
    try:
        return find_model(folder.name), folder
    except Refusal:
        config = folder / "config.json"
        if config.exists() and ARCHITECTURE in config.read_text(encoding="utf-8", errors="replace"):
            return load_models()["PaddleOCR-VL-0.9B"], folder
        raise Refusal(
            f"Which model is in {folder} cannot be told from its name or config.json: "
            "give the model with --model and the folder with --model-dir."
        ) from None


def _find_gpu(arguments: argparse.Namespace) -> tuple[Gpu | None, int]:
    """The GPU to check against; None where there is none to look at and a preset was named all the same."""
    if arguments.preset is None or arguments.gpu is not None or arguments.memory_gb is not None:
        return chosen_gpu(arguments)
    if arguments.print:
        return None, 0
    try:
        return chosen_gpu(arguments)
    except Refusal as refusal:
        if _named_preset(arguments, _find_model(arguments)[0]).device == "cuda":
            print(f"note: the GPU was not checked. {refusal}", file=sys.stderr)
        return None, 0


def _named_preset(arguments: argparse.Namespace, model: Model) -> Preset:
    if arguments.preset is None:
        return presets_for(arguments.engine, model)[0]  # until the GPU has been looked at
    return find_preset(arguments.engine, model, arguments.preset)


def _fitting_preset(wish: Wish, gpu: Gpu | None, count: int, *, layout_here: bool) -> Preset:
    if gpu is None:
        raise Refusal("No GPU was found; say which preset to use with --preset.")
    plan = make_plan(replace(wish, backend_config={}, extra=()), gpu, count, layout_here=layout_here)
    if plan.chosen is None:
        raise Refusal(plan.problems)
    return plan.chosen.preset


def _read_version(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(".")) if text else ()
    except ValueError:
        raise Refusal(f"--engine-version is numbers and dots, not `{text}`.") from None


def _as_data(command: EngineCommand) -> Mapping[str, object]:
    return {
        "engine": command.wish.engine,
        "model": command.wish.model.name,
        "preset": command.wish.preset.name,
        "command": command.argv,
        "environment": command.environment,
        "port": command.port,
        "health": "/health",
        "notes": command.notes,
        "reasons": {
            name: {"value": choice.value, "why": choice.why, "source": choice.source}
            for name, choice in command.reasons.items()
        },
    }


def _become(command: EngineCommand) -> int:
    """Replace this process by the engine, so that its signals and its exit status are the engine's own."""
    argv = command.argv
    package = ENGINES[command.wish.engine].package
    here = importlib.util.find_spec(package) is not None
    if argv[0] == "python":
        argv[0] = (
            sys.executable if here else shutil.which("python") or shutil.which("python3") or sys.executable
        )
    elif here and (script := Path(sys.executable).with_name(argv[0])).exists():
        argv[0] = str(script)
        if not _is_installed(package):
            return _refuse(
                [
                    f"The command `{argv[0]}` needs a package named `{package}`; use a preset that starts a module."
                ]
            )
    sys.stdout.flush()
    try:
        os.execvpe(argv[0], argv, {**os.environ, **command.environment})  # noqa: S606  an argument list, no shell
    except FileNotFoundError:
        return _refuse([f"{argv[0]} is not installed here. --print shows the command for where it is."])


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _refuse(problems: Sequence[str]) -> int:
    print("\n".join(["Nothing was started.", *problems]), file=sys.stderr)
    return _REFUSED
