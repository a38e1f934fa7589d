"""Chat completions as a client asks for them: the part that the simulated VLM reads, and what it refuses."""

from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.simulators.pictures import BadPicture, fit_patches, picture_size

# The model's own default where a request sets no limit.
_CONTEXT_TOKENS = 16_384


class Refusal(Exception):
    """Answered 400 with this message, as vLLM does."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One completion: the words of the task, the picture in patches, and how the answer is wanted."""

    prompt: str
    patches: tuple[int, int]
    most_tokens: int
    stream: bool
    with_usage: bool

    @property
    def visual_tokens(self) -> int:
        """Of the picture."""
        return self.patches[0] * self.patches[1]


def read_ask(body: bytes) -> Ask:
    """The request in `body`.

    Raises:
        Refusal: no JSON, no picture, or one that the model cannot see.
    """
    try:
        asked: dict[str, Any] = orjson.loads(body)
        parts = asked["messages"][-1]["content"]
        url = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        prompt = next(part["text"] for part in parts if part["type"] == "text")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, StopIteration) as error:
        raise Refusal("the request is no chat completion with one picture and one text") from error
    limits = asked.get("mm_processor_kwargs") or {}
    try:
        patches = fit_patches(*picture_size(url), **{name: limits[name] for name in sorted(limits)})
    except (BadPicture, TypeError) as error:
        raise Refusal(str(error)) from error
    return Ask(
        prompt,
        patches,
        asked.get("max_completion_tokens") or asked.get("max_tokens") or _CONTEXT_TOKENS,
        bool(asked.get("stream")),
        bool((asked.get("stream_options") or {}).get("include_usage")),
    )
