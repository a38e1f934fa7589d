"""What keeps Triton from being started, as sentences that name the variable."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class CannotStart(Exception):
    """What keeps Triton from being started.

    Attributes:
        problems: sentences.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


# Of settings that are never secrets, so what was given may be shown.
_WITH_INPUT = ("literal_error", "int_parsing", "float_parsing", "bool_parsing")


def describe(error: ValidationError) -> list[str]:
    """One sentence for each setting that is wrong."""
    return [_sentence(each) for each in error.errors(include_url=False)]


def _sentence(problem: ErrorDetails) -> str:
    place, message = problem["loc"], problem["msg"].removeprefix("Value error, ").rstrip(".")
    if not place:
        return f"{message}."  # about several settings, which it names
    name = str(place[0])
    variable = name if name.startswith("HPS_") else f"HPS_{name.upper()}"
    given = f"; got {problem['input']!r}" if problem["type"] in _WITH_INPUT else ""
    return f"{variable}: {message}{given}."
