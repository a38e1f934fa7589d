"""What the simulated VLM says: how long by prompt, picture and seed, and words that read like a task's answer."""

import math
import random
import zlib

from benchmarks.simulators.vlm.costs import VlmCosts

# Lengths of other tasks against a plain text of the same size: tables are dense in tags, formulas are short.
_LENGTH_BY_PROMPT = {"Table Recognition:": 1.2, "Formula Recognition:": 0.6}

_VOCABULARY = 4096  # tokens of each kind, so that no answer repeats itself within its longest
_ROW_TOKENS = 7


class Answers:
    """Deterministic answers for one seed."""

    def __init__(self, costs: VlmCosts, seed: int) -> None:
        self._costs = costs
        self._seed = seed
        chance = random.Random(seed)
        words = ["".join(chance.choices("aeinorstlmd", k=chance.randint(2, 6))) for _ in range(_VOCABULARY)]
        self._words = [f"{word} " for word in words]
        # OTSL: rows of six cells and a line end.
        self._cells = [
            "<nl>" if number % _ROW_TOKENS == _ROW_TOKENS - 1 else f"<fcel>{word}"
            for number, word in enumerate(words)
        ]

    def length(self, prompt: str, patches: tuple[int, int]) -> int:
        """Tokens of the answer about a picture of so many rows and columns of patches."""
        costs = self._costs
        sigma = costs.length_spread
        factor = math.exp(self._chance(prompt, patches).gauss(0, sigma) - sigma * sigma / 2)
        mean = patches[0] * patches[1] * costs.tokens_per_visual_token * _LENGTH_BY_PROMPT.get(prompt, 1.0)
        return max(1, min(costs.longest, round(mean * factor)))

    def text(self, prompt: str, patches: tuple[int, int], first: int, last: int) -> str:
        """The tokens from `first` up to `last` of the answer."""
        if prompt == "Table Recognition:":
            return self._slice(self._cells, first, last)  # from the start, so that rows are whole
        start = zlib.crc32(repr((prompt, patches)).encode()) % _VOCABULARY
        return self._slice(self._words, start + first, start + last)

    def _chance(self, prompt: str, patches: tuple[int, int]) -> random.Random:
        return random.Random(zlib.crc32(repr((self._seed, prompt, patches)).encode()))

    @staticmethod
    def _slice(tokens: list[str], first: int, last: int) -> str:
        first, last = first % _VOCABULARY, last - first + first % _VOCABULARY
        if last <= _VOCABULARY:
            return "".join(tokens[first:last])
        return "".join(tokens[first:] + tokens[: last - _VOCABULARY])
