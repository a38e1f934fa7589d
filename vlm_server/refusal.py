"""The one way in which this package says no."""

from collections.abc import Sequence


class Refusal(Exception):
    """What was asked for will not be started.

    Attributes:
        problems: why, as sentences for the operator; never empty.
    """

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))
