"""`python -m vlm_server plan`: what a GPU can run, where its memory goes, and what cannot be."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

from vlm_server.catalogue import Model, find_model, presets_for
from vlm_server.command import EngineCommand, Wish
from vlm_server.engines import ENGINES
from vlm_server.gpus import Gpu, named_gpu, read_gpus
from vlm_server.host import usable_cores
from vlm_server.memory import Split, kv_bytes_per_token, weight_bytes
from vlm_server.planning import Candidate, Plan, make_plan
from vlm_server.refusal import Refusal


def add_gpu_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which GPU it is about."""
    parser.add_argument(
        "--gpu", metavar="NAME", help='plan for this one, as "RTX 4090", which need not be here'
    )
    parser.add_argument(
        "--memory-gb", type=float, metavar="N", help="memory of --gpu, where its name has two sizes"
    )
    parser.add_argument("--gpu-count", type=int, default=1, metavar="N", help="how many of --gpu")
    parser.add_argument(
        "--device", default="0", metavar="ID", help="index or UUID of the GPU, as GPU_DEVICE_ID"
    )
    parser.add_argument(
        "--layout-elsewhere", action="store_true", help="layout detection runs on another GPU or the CPU"
    )
    parser.add_argument(
        "--cores", type=int, default=usable_cores(), metavar="N", help="of the host; all by default"
    )


def chosen_gpu(arguments: argparse.Namespace) -> tuple[Gpu, int]:
    """The GPU that the options name, and how many like it there are.

    Raises:
        Refusal: it cannot be found.
    """
    if arguments.gpu is not None or arguments.memory_gb is not None:
        return named_gpu(arguments.gpu or "GPU", arguments.memory_gb), arguments.gpu_count
    gpus = read_gpus()
    for gpu in gpus:
        if arguments.device in (str(gpu.index), gpu.uuid):
            return gpu, sum(other.name == gpu.name for other in gpus)
    listed = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in gpus)
    raise Refusal(f"There is no GPU `{arguments.device}` here; there are: {listed}.")


def main(argv: Sequence[str]) -> int:
    """Plan, and say so; returns 0 when something fits, else 1."""
    parser = argparse.ArgumentParser(prog="python -m vlm_server plan", description=__doc__)
    parser.add_argument("--engine", choices=sorted(ENGINES), default="vllm")
    parser.add_argument("--model", default="PaddleOCR-VL-0.9B", help="name, or name on a hub")
    parser.add_argument("--json", action="store_true", help="for programs")
    add_gpu_arguments(parser)
    arguments = parser.parse_args(argv)
    try:
        model = find_model(arguments.model)
        presets = presets_for(arguments.engine, model)
        gpu, count = chosen_gpu(arguments)
        wish = Wish(arguments.engine, model, presets[0], cores=arguments.cores)
        plan = make_plan(wish, gpu, count, layout_here=not arguments.layout_elsewhere)
    except Refusal as refusal:
        if arguments.json:
            print(json.dumps({"fits": False, "problems": refusal.problems}, indent=1))
        else:
            print("\n".join(refusal.problems), file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(_as_data(plan, wish), indent=1, ensure_ascii=False))
    else:
        print(_as_text(plan, wish))
    return 0 if plan.chosen else 1


def _as_text(plan: Plan, wish: Wish) -> str:
    gpu = plan.gpu
    cuda = f", driver for CUDA {gpu.cuda}" if gpu.cuda else ""
    used = f", {gpu.used_gib:.1f} GiB in use" if gpu.used_gib else ""
    lines = [f"{gpu.name}: {gpu.total_gib:.1f} GiB, compute capability {gpu.capability}{used}{cuda}", ""]
    if plan.chosen is None:
        lines.append(f"{wish.model.name} on {wish.engine} cannot run here:")
        lines += [f"  {problem}" for problem in plan.problems]
    else:
        lines.append(f"{wish.model.name} on {wish.engine}: preset {plan.chosen.preset.name}")
        lines += [f"  {name:<15}{size:>6.1f} GiB  {why}" for name, size, why in _rows(plan.chosen)]
        lines += [f"  {note}" for note in _advice(plan.chosen.command, plan.chosen.memory)]
    lines += ["", "Presets:"]
    for each in plan.candidates:
        state = (
            "chosen" if each is plan.chosen else "fits" if not each.problems else f"no: {each.problems[0]}"
        )
        lines.append(f"  {each.preset.name:<15} {state}")
    if plan.chosen is not None:
        lines += [
            "",
            f"python -m vlm_server --engine {wish.engine} --model {wish.model.name} --preset {plan.chosen.preset.name}",
        ]
    return "\n".join(lines)


def _rows(chosen: Candidate) -> list[tuple[str, float, str]]:
    memory, wish = chosen.memory, chosen.command.wish
    model, engine = wish.model, ENGINES[wish.engine]
    share = memory.budget / memory.total
    quantization = str(chosen.command.arguments["quantization"] or "")
    size = weight_bytes(model, quantization) / model.parameters
    per_gpu = f" / {chosen.preset.gpus} GPUs" if chosen.preset.gpus > 1 else ""
    contexts = memory.kv_tokens // memory.context
    where = "" if engine.share_holds_activations else "beside the budget: "
    return [
        ("engine", memory.budget, f"{share:.2f} of {memory.total:.1f} (--{engine.share})"),
        ("- weights", memory.weights, f"{model.parameters:,} parameters x {size:g} bytes{per_gpu}"),
        ("- activations", memory.activations, f"{where}one step at its widest, and the logits; an estimate"),
        ("- CUDA", memory.overhead, f"{where}context, graphs, workspaces; an estimate"),
        ("- KV cache", memory.kv_cache, _kv_formula(model, memory, contexts, per_gpu)),
        ("layout", memory.layout, "PP-DocLayoutV2 with batches of 8; an estimate"),
        (
            "beside it",
            memory.outside,
            "other programs now" + ("" if engine.share_holds_activations else ", activations, CUDA"),
        ),
        ("spare", memory.spare, ""),
    ]


def _kv_formula(model: Model, memory: Split, contexts: int, per_gpu: str) -> str:
    return (
        f"{memory.kv_tokens:,} tokens x {kv_bytes_per_token(model):,} bytes{per_gpu} (2 x {model.layers} layers x "
        f"{model.kv_heads} KV heads x {model.head_dim} x 2 bytes): {contexts} contexts of {memory.context:,}"
    )


def _advice(command: EngineCommand, memory: Split) -> list[str]:
    advice = memory.warnings(ENGINES[command.wish.engine].share)
    # 1,280 visual tokens and a prompt, then the text.
    room = memory.context - 1300
    if command.wish.model.family == "PaddleOCR-VL" and room < 8192:
        advice.append(
            f"A text has room for {room:,} tokens: HPS_VLM_MAX_OUTPUT_TOKENS={room} for the pipeline."
        )
    return advice


def _as_data(plan: Plan, wish: Wish) -> dict[str, Any]:
    chosen = plan.chosen
    return {
        "fits": chosen is not None,
        "gpu": dataclasses.asdict(plan.gpu),
        "engine": wish.engine,
        "model": wish.model.name,
        "preset": chosen.preset.name if chosen else None,
        "problems": plan.problems,
        "advice": _advice(chosen.command, chosen.memory) if chosen else [],
        "memory_gib": _memory_data(chosen.memory) if chosen else None,
        "presets": [
            {"name": each.preset.name, "fits": not each.problems, "problems": list(each.problems)}
            for each in plan.candidates
        ],
        "command": chosen.command.argv if chosen else None,
        "environment": chosen.command.environment if chosen else None,
    }


def _memory_data(memory: Split) -> dict[str, float]:
    sizes = (
        "total",
        "budget",
        "weights",
        "activations",
        "overhead",
        "kv_cache",
        "layout",
        "outside",
        "spare",
    )
    return {
        **{name: round(getattr(memory, name), 3) for name in sizes},
        "kv_bytes_per_token": memory.kv_bytes_per_token,
        "kv_tokens": memory.kv_tokens,
        "context": memory.context,
    }
