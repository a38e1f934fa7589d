"""Tokens, roughly: there is no tokenizer here, but limits and usage are counted in them.

One token per Chinese, Japanese or Korean character, one per four other characters, and one per 28x28 patch of
the image, which is how PaddleOCR-VL counts pictures.
"""

from vlm_server.embedded.protocol import FinishReason

_QUARTERS_PER_TOKEN = 4
_WIDE_FROM = 0x2E80  # the first East Asian block; what comes before is alphabetic
_PATCH_PIXELS = 28 * 28
_PROMPT_OVERHEAD = 16  # the chat template around the prompt


def count_tokens(text: str) -> int:
    """Tokens of `text`, at least 1 for the end token."""
    return 1 + -(-sum(map(_quarters, text)) // _QUARTERS_PER_TOKEN)


def count_prompt_tokens(prompt: str, *, width: int, height: int) -> int:
    """Tokens of the image (pixels) and the prompt."""
    return _PROMPT_OVERHEAD + count_tokens(prompt) + max(1, width * height // _PATCH_PIXELS)


def limit_tokens(text: str, limit: int | None) -> tuple[str, FinishReason]:
    """Cut `text` where a model with this many tokens to say would have stopped."""
    if limit is None or count_tokens(text) <= limit:
        return text, "stop"
    left = limit * _QUARTERS_PER_TOKEN
    for index, character in enumerate(text):
        left -= _quarters(character)
        if left < 0:
            return text[:index], "length"
    return text, "length"


def _quarters(character: str) -> int:
    return _QUARTERS_PER_TOKEN if ord(character) >= _WIDE_FROM else 1
