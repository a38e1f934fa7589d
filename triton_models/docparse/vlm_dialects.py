"""Where VLM servers that all speak OpenAI's protocol differ in what a request must say.

All of them take `max_completion_tokens` and `repetition_penalty`, and none refuses a field that it does not know: it is
ignored without a word, so what an engine does not do must not be asked of it. (FastDeploy's schema has no
`skip_special_tokens`: whether spotting keeps its places there has not been tried.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Backend = Literal["vllm", "fastdeploy", "sglang", "embedded"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one engine understands.

    Attributes:
        greedy: how it is told to take the likeliest token.
        takes_pixel_limits: whether `mm_processor_kwargs` of a request means something to it.
        notices_loops: whether it knows `repetition_detection`.
    """

    greedy: Mapping[str, float]
    takes_pixel_limits: bool
    notices_loops: bool

    def translate(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters under vLLM's names, in this engine's words."""
        if parameters.get("temperature") == 0 and "top_p" not in parameters:
            return {**parameters, **self.greedy}
        return dict(parameters)


# Sources: PaddleX 3.7.2's client (models/doc_vlm/predictor.py) and the engines' request schemas. SGLang has had
# `mm_processor_kwargs` only since after 0.5.7, the first version that serves the model; older ones ignore it.
DIALECTS: Mapping[Backend, Dialect] = {
    "vllm": Dialect({"temperature": 0.0}, takes_pixel_limits=True, notices_loops=True),
    "fastdeploy": Dialect({"temperature": 1.0, "top_p": 0.0}, takes_pixel_limits=False, notices_loops=False),
    "sglang": Dialect({"temperature": 0.0}, takes_pixel_limits=False, notices_loops=False),
    # It scales pictures itself and cannot loop, whatever it is told.
    "embedded": Dialect({"temperature": 0.0}, takes_pixel_limits=True, notices_loops=True),
}
