"""What the engines call the same things, and what they do when they are told nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from vlm_server.catalogue import Choice

_NO_STATISTICS = Choice("1", "hosts that read documents send nothing home", "this project's choice")
_LOCAL_ONLY = Choice("1", "the weights are in a folder: nothing is asked of a hub", "this project's choice")
_MODELSCOPE = "asked for with --hub modelscope"


@dataclass(frozen=True, slots=True)
class Engine:
    """Names and defaults of one engine.

    Attributes:
        command: what comes before the model.
        model_flag: what names it; None when it stands alone.
        share, context, batched_tokens, sequences, gpus: flags, without `--`.
        default_batched_tokens: None means as many as the context.
        share_holds_activations: see memory.py.
        served_names: how many names a model may have.
        hubs: variables that choose where weights are downloaded from.
        package: which must be installed to run it.
    """

    command: tuple[str, ...]
    package: str
    model_flag: str | None
    share: str
    context: str
    batched_tokens: str
    sequences: str
    gpus: str
    default_share: float
    default_batched_tokens: int | None
    default_sequences: int
    share_holds_activations: bool
    served_names: int
    environment: Mapping[str, Choice]
    hubs: Mapping[str, Mapping[str, Choice]]


ENGINES: Mapping[str, Engine] = {
    "vllm": Engine(
        command=("vllm", "serve"),
        package="vllm",
        model_flag=None,
        share="gpu-memory-utilization",
        context="max-model-len",
        batched_tokens="max-num-batched-tokens",
        sequences="max-num-seqs",
        gpus="tensor-parallel-size",
        default_share=0.92,
        default_batched_tokens=8192,
        default_sequences=1024,
        share_holds_activations=True,
        served_names=8,
        environment={"VLLM_NO_USAGE_STATS": _NO_STATISTICS, "DO_NOT_TRACK": _NO_STATISTICS},
        hubs={
            "huggingface": {},
            "modelscope": {"VLLM_USE_MODELSCOPE": Choice("true", _MODELSCOPE, "vLLM's documentation")},
        },
    ),
    "fastdeploy": Engine(
        command=("python", "-m", "fastdeploy.entrypoints.openai.api_server"),
        package="fastdeploy",
        model_flag="model",
        share="gpu-memory-utilization",
        context="max-model-len",
        batched_tokens="max-num-batched-tokens",
        sequences="max-num-seqs",
        gpus="tensor-parallel-size",
        default_share=0.9,
        default_batched_tokens=None,
        default_sequences=8,
        share_holds_activations=True,
        served_names=1,
        environment={"DO_NOT_TRACK": _NO_STATISTICS},
        hubs={
            "huggingface": {
                "FD_MODEL_SOURCE": Choice(
                    "HUGGINGFACE", "it would ask AI Studio", "FastDeploy's documentation"
                )
            },
            "modelscope": {
                "FD_MODEL_SOURCE": Choice("MODELSCOPE", _MODELSCOPE, "FastDeploy's documentation")
            },
        },
    ),
    "sglang": Engine(
        command=("python", "-m", "sglang.launch_server"),
        package="sglang",
        model_flag="model-path",
        share="mem-fraction-static",
        context="context-length",
        batched_tokens="max-prefill-tokens",
        sequences="max-running-requests",
        gpus="tp-size",
        default_share=0.88,
        default_batched_tokens=16384,
        default_sequences=256,
        share_holds_activations=False,
        served_names=1,
        environment={},
        hubs={
            "huggingface": {},
            "modelscope": {"SGLANG_USE_MODELSCOPE": Choice("true", _MODELSCOPE, "SGLang's documentation")},
        },
    ),
}

# Of vLLM alone. It reads the same flags but cannot start several API servers.
VLLM_MODULE_COMMAND = ("python", "-m", "vllm.entrypoints.openai.api_server")
VLLM_MODULE_MODEL_FLAG = "model"

LOCAL_FOLDER_ENVIRONMENT: Mapping[str, Choice] = {
    "HF_HUB_OFFLINE": _LOCAL_ONLY,
    "TRANSFORMERS_OFFLINE": _LOCAL_ONLY,
}
