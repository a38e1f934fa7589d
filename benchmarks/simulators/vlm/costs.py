"""How long the simulated device takes, and the limit that follows from it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class VlmCosts:
    """The device's speed; the defaults are sized as benchmarks/README.md says under "How the simulators are sized".

    A step gives each running sequence one token. It takes `step_seconds`, and `sequence_seconds` more for each
    of them, and `visual_token_seconds` for each visual token of the requests that it takes in (vision tower and
    prefill). Those get their first token in that step.

    Attributes:
        sequences: most sequences in flight (vLLM's --max-num-seqs); further requests wait in order of arrival.
        prefill_tokens: most prompt tokens taken in with one step (vLLM's --max-num-batched-tokens).
        stream_interval: tokens per event of a streamed answer (vLLM's --stream-interval).
        tokens_per_visual_token: mean length of an answer, by the size of its picture as the model sees it.
        length_spread: sigma of the log-normal factor on that length.
        longest: tokens at which an answer ends at the latest.
    """

    sequences: int = 32
    step_seconds: float = 0.0035
    sequence_seconds: float = 0.00002
    visual_token_seconds: float = 0.0000125
    prefill_tokens: int = 16_384
    stream_interval: int = 16
    tokens_per_visual_token: float = 0.44
    length_spread: float = 0.4
    longest: int = 1_536

    @property
    def full_step_seconds(self) -> float:
        """A step with every sequence running and nothing taken in."""
        return self.step_seconds + self.sequence_seconds * self.sequences

    @property
    def token_seconds(self) -> float:
        """What one token costs when the batch is full: the least that it can cost."""
        return self.full_step_seconds / self.sequences

    @property
    def tokens_per_second(self) -> float:
        """The limit of decoding alone."""
        return 1 / self.token_seconds

    def work_seconds(self, visual_tokens: int, tokens: int) -> float:
        """Device time that a request needs at the least; the device can do one such second per second."""
        return visual_tokens * self.visual_token_seconds + tokens * self.token_seconds

    def pages_per_second(self, visual_tokens: float, tokens: float) -> float:
        """The limit for pages with so many tokens in all their regions together."""
        return 1 / (visual_tokens * self.visual_token_seconds + tokens * self.token_seconds)

    def faster(self, factor: float) -> "VlmCosts":
        """The same device with every time divided by `factor`."""
        return VlmCosts(
            **{
                **asdict(self),
                "step_seconds": self.step_seconds / factor,
                "sequence_seconds": self.sequence_seconds / factor,
                "visual_token_seconds": self.visual_token_seconds / factor,
            }
        )

    def described(self) -> dict[str, Any]:
        """The settings and their limit, for a result file."""
        return {**asdict(self), "tokens_per_second": round(self.tokens_per_second, 1)}
