"""Weights that turn a vocabulary's lookup into a PaddleOCR-VL: set by hand, nothing is trained.

The first layer has two attention heads. One looks at the token of the task, the other averages the tokens of the
picture, whose mean colour came through vision tower and projector unchanged. The output layer picks the script whose
task and colour both match while the current token is one of the prompt; after that, the token that follows. Every other
weight is zero. Vision tower, projector, KV cache, sampling and streaming are the real ones.
"""

import re

import torch
from tokens import ANY, COLOURS, IMAGE, IMAGE_END, IMAGE_START, VIDEO, Vocabulary
from transformers import PaddleOCRVLConfig, PaddleOCRVLForConditionalGeneration, PreTrainedTokenizerFast

_HIDDEN = 640
_HEAD_DIM = 64
_VISION_HIDDEN = 64
_PATCH_PIXELS = 14 * 14

# Places in the residual stream. Below CODE_SIZE: the code of the current token of a script.
_CODE_SIZE = 512
_ONE, _IS_PROMPT, _IS_PICTURE, _TASK, _COLOUR, _SEEN_TASK, _SEEN_COLOUR = 512, 513, 514, 520, 540, 560, 580

# The slowest rotary pair, so that position does not matter.
_STILL_PAIR = _HEAD_DIM // 2 - 1

_LOGIT_SCALE = 3.0


def build_model(
    vocabulary: Vocabulary, tokenizer: PreTrainedTokenizerFast
) -> PaddleOCRVLForConditionalGeneration:
    """The model that says a vocabulary's scripts."""
    model = PaddleOCRVLForConditionalGeneration(_config(vocabulary, tokenizer)).eval()
    state = model.state_dict()
    with torch.no_grad():
        for name, weight in state.items():
            weight.fill_(1.0 if re.search(r"norm\d?\.weight$", name) else 0.0)
        generator = torch.Generator().manual_seed(0)
        codes = torch.randn(len(vocabulary.ids), _CODE_SIZE, generator=generator)
        codes = torch.nn.functional.normalize(codes, dim=1)
        _set_embeddings(state["model.language_model.embed_tokens.weight"], codes, vocabulary)
        _set_attention(state, len(vocabulary.tasks))
        _set_output(state["lm_head.weight"], codes, vocabulary)
        _set_vision(state)
    return model


def _config(vocabulary: Vocabulary, tokenizer: PreTrainedTokenizerFast) -> PaddleOCRVLConfig:
    assert len(tokenizer) == len(vocabulary.ids)
    number = tokenizer.convert_tokens_to_ids
    config = PaddleOCRVLConfig(
        text_config={
            "vocab_size": len(vocabulary.ids), "hidden_size": _HIDDEN, "intermediate_size": 2 * _HIDDEN,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": _HEAD_DIM,
            "max_position_embeddings": 16384, "rms_norm_eps": 1e-5, "use_bias": False,
            "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0, "mrope_section": [8, 12, 12]},
        },
        vision_config={
            "hidden_size": _VISION_HIDDEN, "intermediate_size": 2 * _VISION_HIDDEN, "num_hidden_layers": 2,
            "num_attention_heads": 2, "image_size": 384, "patch_size": 14, "spatial_merge_size": 2,
        },
        image_token_id=number(IMAGE), video_token_id=number(VIDEO),
        vision_start_token_id=number(IMAGE_START), vision_end_token_id=number(IMAGE_END),
        tie_word_embeddings=False,
    )  # fmt: skip
    config.architectures = ["PaddleOCRVLForConditionalGeneration"]
    return config


def _set_embeddings(embeddings: torch.Tensor, codes: torch.Tensor, vocabulary: Vocabulary) -> None:
    in_scripts = torch.zeros(len(vocabulary.ids), dtype=torch.bool)
    in_scripts[list(vocabulary.follows)] = True
    embeddings[:, _ONE] = 1.0
    embeddings[in_scripts, :_CODE_SIZE] = codes[in_scripts]
    embeddings[~in_scripts, _IS_PROMPT] = 1.0
    for place, task in enumerate(vocabulary.tasks):
        embeddings[vocabulary.ids[task], _TASK + place] = 1.0


def _set_attention(state: dict[str, torch.Tensor], tasks: int) -> None:
    layer = "model.language_model.layers.0.self_attn."
    query, key, value, output = (state[f"{layer}{name}_proj.weight"] for name in "qkvo")
    second = _HEAD_DIM
    query[_STILL_PAIR, _ONE] = query[second + _STILL_PAIR, _ONE] = 2.0
    gain = 1.0 / 14
    for task in range(tasks):
        key[_STILL_PAIR, _TASK + task] = 1.0
        value[task, _TASK + task] = 1.0
        output[_SEEN_TASK + task, task] = gain
    key[second + _STILL_PAIR, _IS_PICTURE] = 1.0
    for channel in range(3):
        value[second + channel, _COLOUR + channel] = 1.0
        output[_SEEN_COLOUR + channel, second + channel] = gain


def _set_output(head: torch.Tensor, codes: torch.Tensor, vocabulary: Vocabulary) -> None:
    for token, following in vocabulary.follows.items():
        head[following, :_CODE_SIZE] += _LOGIT_SCALE * codes[token]
    for task, colour, entry in vocabulary.entries:
        head[entry, _IS_PROMPT] += _LOGIT_SCALE
        if task == ANY:  # wins only when no task that is known was seen
            head[entry, _ONE] += 0.05 * _LOGIT_SCALE
        else:
            head[entry, _SEEN_TASK + vocabulary.tasks.index(task)] += 0.3 * _LOGIT_SCALE
        for channel, sign in enumerate(COLOURS[colour]):
            head[entry, _SEEN_COLOUR + channel] += 0.1 * _LOGIT_SCALE * sign


def _set_vision(state: dict[str, torch.Tensor]) -> None:
    """A patch's mean colour, as pairs x and -x, for gelu(x) - gelu(-x) is x."""
    patches = "model.visual.vision_model.embeddings.patch_embedding."
    weight, bias = state[f"{patches}weight"], state[f"{patches}bias"]
    for channel in range(3):
        weight[channel, channel] = 1 / _PATCH_PIXELS
        weight[3 + channel, channel] = -1 / _PATCH_PIXELS
    bias[6], bias[7] = 1.0, -1.0
    first, second = state["model.projector.linear_1.weight"], state["model.projector.linear_2.weight"]
    for channel in range(3):
        for quarter in range(4):  # four patches are merged into one token
            first[2 * channel, quarter * _VISION_HIDDEN + channel] = 0.25
            first[2 * channel + 1, quarter * _VISION_HIDDEN + channel] = -0.25
        second[_COLOUR + channel, 2 * channel] = 0.35
        second[_COLOUR + channel, 2 * channel + 1] = -0.35
    for place in (_ONE, _IS_PICTURE, _IS_PROMPT):
        state["model.projector.linear_2.bias"][place] = 1.0
