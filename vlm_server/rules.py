"""What must hold before an engine is started: its flags exist, its documentation allows them, memory adds up."""

import socket
from collections.abc import Iterator

from vlm_server.command import EngineCommand
from vlm_server.engines import ENGINES
from vlm_server.gpus import Gpu, model_of
from vlm_server.memory import LAYOUT_GIB, Split, split_memory

# FastDeploy documents `--max-num-seqs` for its vision models as 1 to 256.
_FASTDEPLOY_MOST_SEQUENCES = 256

_PORT_FLAGS = ("port", "metrics-port", "engine-worker-queue-port", "cache-queue-port", "controller-port")


def find_problems(command: EngineCommand, gpu: Gpu | None, *, layout_here: bool) -> list[str]:
    """Why the command must not be run, as sentences; empty when it may.

    Without a `gpu` it is checked against the smallest one of the preset; with `layout_here` layout detection needs
    memory of the same GPU.
    """
    checks = (_flags, _numbers, _ports, _context, _vllm, _fastdeploy)
    problems = [problem for check in checks for problem in check(command)]
    problems += _engine_version(command)
    if command.wish.preset.device == "cuda":
        problems += _gpu(command, gpu)
        if not problems:  # with a number out of its range no sum means anything
            problems += memory_of(command, gpu, layout_here=layout_here).problems()
    return problems


def find_warnings(command: EngineCommand, gpu: Gpu | None, *, layout_here: bool) -> list[str]:
    """What may go wrong with a command that has no problems, as sentences."""
    if command.wish.preset.device != "cuda":
        return []
    share_flag = ENGINES[command.wish.engine].share
    return memory_of(command, gpu, layout_here=layout_here).warnings(share_flag)


def memory_of(command: EngineCommand, gpu: Gpu | None, *, layout_here: bool) -> Split:
    """How the GPU's memory would be split."""
    wish, arguments = command.wish, command.arguments
    engine = ENGINES[wish.engine]
    ocr = wish.model.family == "PaddleOCR-VL"
    context = int(arguments.number(engine.context) or wish.model.default_context)
    return split_memory(
        wish.model,
        total_gib=gpu.total_gib if gpu else wish.preset.minimum_gib,
        share=arguments.number(engine.share) or engine.default_share,
        context=context,
        batched_tokens=int(
            arguments.number(engine.batched_tokens) or engine.default_batched_tokens or context
        ),
        sequences=int(arguments.number(engine.sequences) or engine.default_sequences),
        quantization=str(arguments["quantization"] or ""),
        gpus=int(arguments.number(engine.gpus) or 1),
        share_holds_activations=engine.share_holds_activations,
        outside_gib=gpu.used_gib if gpu else 0.0,
        layout_gib=LAYOUT_GIB if ocr and layout_here else 0.0,
    )


def taken_ports(command: EngineCommand) -> list[str]:
    """Sentences about ports that something listens on already."""
    problems = []
    for flag in _PORT_FLAGS:
        number = command.arguments.number(flag)
        if number is None:
            continue
        host = command.wish.host if flag == "port" else "0.0.0.0"  # noqa: S104  where FastDeploy binds them
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(number)))
            except OSError as error:
                problems.append(f"Port {int(number)} (--{flag}) cannot be used: {error.strerror}.")
    return problems


def _flags(command: EngineCommand) -> Iterator[str]:
    known = command.arguments.known
    for flag in command.arguments.unknown:
        yield (
            f"{flag} is no flag of {known.engine} {known.version}. If yours has it, --force starts it all the same."
        )
    for name, value in command.arguments.flags.items():
        if f"--{name}" in known.switches and value is not True:
            yield f"--{name} stands alone; in a configuration file it is `true`, not `{value}`."
        elif f"--{name}" in known.values | known.lists and value is True:
            yield f"--{name} needs a value."


def _numbers(command: EngineCommand) -> Iterator[str]:
    engine = ENGINES[command.wish.engine]
    share = command.arguments.number(engine.share)
    if share is not None and not 0 < share <= 1:
        yield f"--{engine.share} is a share of the GPU, above 0 and up to 1, not {share}."
    for flag in (engine.context, engine.batched_tokens, engine.sequences, engine.gpus):
        number = command.arguments.number(flag)
        if number is not None and (number < 1 or number != int(number)):
            yield f"--{flag} must be a whole number above 0."


def _ports(command: EngineCommand) -> Iterator[str]:
    seen: dict[float, str] = {}
    for flag in _PORT_FLAGS:
        port = command.arguments.number(flag)
        if port is None or port < 0:  # FastDeploy's -1 is no port
            continue
        if not 1 <= port <= 65535:
            yield f"--{flag} {port:.0f} is no port."
        if port in seen:
            yield f"--{flag} and --{seen[port]} are both {port:.0f}."
        seen[port] = flag


def _context(command: EngineCommand) -> Iterator[str]:
    model, engine = command.wish.model, ENGINES[command.wish.engine]
    context = command.arguments.number(engine.context)
    if context is not None and context > model.longest_context:
        yield (
            f"--{engine.context} {context:.0f} is more than the {model.longest_context:,} tokens that "
            f"{model.name} takes."
        )


def _vllm(command: EngineCommand) -> Iterator[str]:
    if command.wish.engine != "vllm" or command.wish.preset.entry != "module":
        return
    if (command.arguments.number("api-server-count") or 1) > 1:
        yield "Only the command `vllm serve` starts several API servers; this preset starts vLLM as a module."


def _fastdeploy(command: EngineCommand) -> Iterator[str]:
    if command.wish.engine != "fastdeploy":
        return
    arguments = command.arguments
    sequences = arguments.number("max-num-seqs")
    if sequences is not None and sequences > _FASTDEPLOY_MOST_SEQUENCES:
        yield f"--max-num-seqs {sequences:.0f}: FastDeploy takes 1 to {_FASTDEPLOY_MOST_SEQUENCES}."
    caches, chunks = arguments["enable-prefix-caching"], arguments["enable-chunked-prefill"]
    if arguments["use-cudagraph"]:
        if (arguments.number("tensor-parallel-size") or 1) > 1:
            yield "--use-cudagraph runs on one GPU only: --tensor-parallel-size must be 1."
        for flag, is_set in (("enable-prefix-caching", caches), ("enable-chunked-prefill", chunks)):
            if is_set:
                yield f"--use-cudagraph and --{flag} cannot be used together."
    if arguments["swap-space"] is not None and not caches:
        yield "--swap-space is memory behind the prefix cache: it needs --enable-prefix-caching."


def _engine_version(command: EngineCommand) -> Iterator[str]:
    wish = command.wish
    needed, has = wish.preset.minimum_engine_version, wish.engine_version
    if needed and has and has < tuple(int(part) for part in needed.split(".")):
        yield f"{wish.model.name} needs {wish.engine} {needed} or newer."


def _gpu(command: EngineCommand, gpu: Gpu | None) -> Iterator[str]:
    if gpu is None:
        return
    wish, preset = command.wish, command.wish.preset
    lowest, highest = preset.compute_capability
    if gpu.capability < 8.0:
        yield (
            f"{gpu.name} has compute capability {gpu.capability}; the model computes in BF16, which needs 8.0 "
            "(RTX 30, A10, A100) or newer. --engine embedded runs on the CPU."
        )
    elif not lowest <= gpu.capability <= highest:
        bounds = f"{lowest} to {highest}" if highest < 99 else f"{lowest} or newer"
        yield f"Preset {preset.name} is for compute capability {bounds}; {gpu.name} has {gpu.capability}."
    if gpu.cuda is not None and preset.minimum_cuda is not None and gpu.cuda < preset.minimum_cuda:
        yield f"The driver runs CUDA {gpu.cuda}; this preset needs {preset.minimum_cuda}: update the driver."
    quantization = str(command.arguments["quantization"] or "bfloat16")
    if quantization == "block_wise_fp8" and not 9.0 <= gpu.capability < 10.0:
        yield f"block_wise_fp8 needs a Hopper GPU; {gpu.name} has compute capability {gpu.capability}."
    if command.environment.get("FLAGS_flash_attn_version") == "3" and not 9.0 <= gpu.capability < 12.0:
        yield f"FLAGS_flash_attn_version=3 is for Hopper and Blackwell of the data centre, not for {gpu.name}."
    yield from _fewest_gpus(command, gpu, quantization)
    if wish.preset.device == "cuda" and gpu.total_gib < preset.minimum_gib:
        yield (
            f"Preset {preset.name} is for GPUs of {preset.minimum_gib:g} GiB or more; {gpu.name} has "
            f"{gpu.total_gib:.1f}."
        )


def _fewest_gpus(command: EngineCommand, gpu: Gpu, quantization: str) -> Iterator[str]:
    model = command.wish.model
    by_precision = model.fewest_gpus.get(model_of(gpu.name) or "")
    if by_precision is None:
        return
    fewest = by_precision.get(quantization)
    size = int(command.arguments.number("tensor-parallel-size") or 1)
    if fewest is None:
        listed = ", ".join(by_precision)
        yield f"FastDeploy's documentation has no {quantization} for {model.name} on {gpu.name}, only {listed}."
    elif size < fewest:
        yield f"{model.name} in {quantization} needs {fewest} x {gpu.name}, not {size}."
