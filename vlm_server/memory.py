"""How an engine's share of a GPU is used: weights, activations, and the KV cache in what is left.

Weights and KV cache are exact: parameters times bytes, and two tensors per layer of KV heads times their size.
Activations are what one step holds at its widest layer; the engines measure theirs when they start. What CUDA, its
graphs and the libraries take is a round figure. So are layout detection's: neither has been measured on every GPU.
"""

from dataclasses import dataclass

from vlm_server.catalogue import Model

GIB = 1024**3

_BF16_BYTES = 2
_WEIGHT_BYTES = {"wint4": 0.5, "wint8": 1.0, "block_wise_fp8": 1.0}

# CUDA's context (0.5), captured graphs and libraries' workspaces.
OVERHEAD_GIB = 0.9

# PP-DocLayoutV2: 0.2 of weights, a CUDA context of its own, and ONNX Runtime's arena for 8 pages of 800 x 800.
LAYOUT_GIB = 1.4

# Sampling holds the logits of every sequence in 4 bytes, and two sorted copies.
_LOGIT_COPIES = 3
_LOGIT_BYTES = 4

_PATCHES_PER_IMAGE_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Split:
    """Where the memory of one GPU goes, in GiB.

    Attributes:
        budget: what the engine may take of it.
        kv_cache: what is left of the budget; negative when nothing is.
        kv_bytes_per_token: on one GPU.
        context: tokens of the longest request.
        outside: taken beside the budget by other programs and, with SGLang, the activations.
        layout: wanted beside it for layout detection.
    """

    total: float
    budget: float
    weights: float
    activations: float
    overhead: float
    kv_cache: float
    kv_bytes_per_token: int
    context: int
    outside: float
    layout: float

    @property
    def kv_tokens(self) -> int:
        """Tokens that the KV cache holds."""
        return max(0, int(self.kv_cache * GIB / self.kv_bytes_per_token))

    @property
    def spare(self) -> float:
        """What nothing takes; negative where layout detection has less than it wants."""
        return self.total - self.budget - self.outside - self.layout

    def problems(self) -> list[str]:
        """Why it cannot be, as sentences."""
        problems = []
        if self.kv_cache <= 0:
            problems.append(
                f"The model does not fit: of {self.budget:.1f} GiB for the engine, weights take {self.weights:.1f}, "
                f"activations {self.activations:.1f} and CUDA {self.overhead:.1f}; nothing is left for the KV cache."
            )
        elif self.kv_tokens < self.context:
            problems.append(
                f"The KV cache has room for {self.kv_tokens:,} tokens, less than one context of {self.context:,}."
            )
        if self.budget + self.outside > self.total:
            problems.append(
                f"The engine ({self.budget:.1f} GiB) and what is taken beside it ({self.outside:.1f} GiB) "
                f"do not fit into {self.total:.1f} GiB."
            )
        return problems

    def warnings(self, share_flag: str) -> list[str]:
        """What may become too narrow, with what would help; `share_flag` is the engine's."""
        if self.spare >= 0 or self.problems():
            return []
        share = int((self.total - self.outside - self.layout) / self.total * 100) / 100
        left = self.layout + self.spare
        wish = f"lower --{share_flag} to {share:g}, or run it elsewhere"
        return [
            f"Layout detection has {left:.1f} GiB left of the {self.layout:.1f} that it may want: {wish}."
        ]


def weight_bytes(model: Model, quantization: str) -> int:
    """Of all GPUs together; unquantised weights are BF16."""
    return int(model.parameters * _WEIGHT_BYTES.get(quantization, _BF16_BYTES))


def kv_bytes_per_token(model: Model) -> int:
    """Of all GPUs together: keys and values of every layer, BF16."""
    return 2 * model.layers * model.kv_heads * model.head_dim * _BF16_BYTES


def activation_bytes(model: Model, *, batched_tokens: int, sequences: int) -> int:
    """What one step holds at most: the widest layer of the decoder, one picture in the vision tower, the logits."""
    # Residual stream twice, gate and up projections, and their product.
    decoder = batched_tokens * (2 * model.hidden + 3 * model.intermediate) * _BF16_BYTES
    # vLLM runs the tower on one picture after the other, the largest first: residual twice, Q, K, V, both MLP sides.
    patches = model.image_tokens * _PATCHES_PER_IMAGE_TOKEN
    vision = patches * (5 * model.vision_hidden + 2 * model.vision_intermediate) * _BF16_BYTES
    logits = sequences * model.vocabulary * _LOGIT_BYTES * _LOGIT_COPIES
    return max(decoder, vision) + logits


def split_memory(
    model: Model,
    *,
    total_gib: float,
    share: float,
    context: int,
    batched_tokens: int,
    sequences: int,
    quantization: str = "",
    gpus: int = 1,
    share_holds_activations: bool = True,
    outside_gib: float = 0.0,
    layout_gib: float = 0.0,
) -> Split:
    """Divide one of `gpus` equal GPUs of `total_gib`.

    `share` of it, 0 to 1, is the engine's; activations and CUDA are within it or, with SGLang, beside it;
    `outside_gib` are taken by others, `layout_gib` wanted for layout detection.
    """
    weights = weight_bytes(model, quantization) / gpus / GIB
    activations = activation_bytes(model, batched_tokens=batched_tokens, sequences=sequences) / GIB
    working = activations + OVERHEAD_GIB
    budget = total_gib * share
    return Split(
        total=total_gib,
        budget=budget,
        weights=weights,
        activations=activations,
        overhead=OVERHEAD_GIB,
        kv_cache=budget - weights - (working if share_holds_activations else 0.0),
        kv_bytes_per_token=max(1, kv_bytes_per_token(model) // gpus),
        context=context,
        outside=outside_gib + (0.0 if share_holds_activations else working),
        layout=layout_gib,
    )
