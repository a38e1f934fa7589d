"""Noticing, while a text is being generated, that the model repeats itself and will not stop."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A loop is looked for each time this many characters have come; the check reads only the end of the text.
_CHECK_EVERY_CHARS = 256

# The longest unit that is looked for: a wide table row, or several sentences.
_LONGEST_UNIT_CHARS = 1000

# A unit can only be as long as the way from the end of the text back to where that end stood before. Long enough
# that a table's tags seldom bring it about, short enough for every rule: of any loop, more than one turn is longer.
_TAIL_CHARS = 64

_ROW_END = "<nl>"
_BROKEN_TAG = re.compile(r"<[a-z]*\Z")


@dataclass(frozen=True, slots=True)
class LoopRule:
    """When the end of a text counts as a loop.

    Attributes:
        least_chars: how much of the end must be one unit over and over.
        least_repeats: how often that unit must stand there.
    """

    least_chars: int
    least_repeats: int


@dataclass(frozen=True, slots=True)
class EngineRule:
    """The same for an engine that looks itself, in tokens; the fields are those of vLLM's `repetition_detection`.

    What is looped has at least `min_pattern_size * min_count` tokens: a shorter unit counts when several of it
    make a pattern. vLLM tries every size for every token that it makes, so the largest size costs time.
    """

    min_pattern_size: int
    max_pattern_size: int
    min_count: int


@dataclass(frozen=True, slots=True)
class RepetitionRules:
    """What counts as a loop in one kind of text, for who watches the stream and for the engine."""

    stream: LoopRule
    engine: EngineRule


# Print repeats itself on purpose: leader dots fill a line of 200 characters, a form has twenty blank fields.
# Nothing printed says the same phrase for three quarters of a page.
TEXT_RULES = RepetitionRules(
    LoopRule(least_chars=1200, least_repeats=10),
    EngineRule(min_pattern_size=32, max_pattern_size=128, min_count=10),
)

# A sparse table is rows of empty cells: `<ecel>` twenty times and a line end, sixty times over, is a page of
# an empty form, 1,260 tokens. PaddleX looks at tables of 5,000 characters and more; a loop runs on for ever.
TABLE_RULES = RepetitionRules(
    LoopRule(least_chars=8000, least_repeats=40),
    EngineRule(min_pattern_size=32, max_pattern_size=128, min_count=42),
)

# Where the loop is, in a text that is known to end in one.
_KNOWN_LOOP = LoopRule(least_chars=100, least_repeats=8)


def rules_for(label: str) -> RepetitionRules:
    """What counts as a loop in the text of a region of this label."""
    return TABLE_RULES if label == "table" else TEXT_RULES


class RepetitionWatch:
    """Fed with a text piece by piece; says when it has begun to loop."""

    def __init__(self, rule: LoopRule) -> None:
        self._rule = rule
        self._text = ""
        self._pieces: list[str] = []
        self._unchecked_chars = 0

    @property
    def text(self) -> str:
        """Everything that was fed."""
        self._text += "".join(self._pieces)
        self._pieces.clear()
        return self._text

    def feed(self, piece: str) -> bool:
        """Add a piece; true when the text loops now."""
        self._pieces.append(piece)
        self._unchecked_chars += len(piece)
        if self._unchecked_chars < _CHECK_EVERY_CHARS:
            return False
        self._unchecked_chars = 0
        return find_loop(self.text, self._rule) is not None


def find_loop(text: str, rule: LoopRule) -> int | None:
    """Where the loop at the end of `text` begins its second turn; None when there is none.

    What stands before that place is the text with the repeated unit once, which is what a reader wants of it.
    Where the end is a loop in several ways, as cells within rows are, it is the way that leaves the least.
    """
    if len(text) < rule.least_chars:
        return None
    place = len(text)
    for unit in _possible_units(text):
        # A text that ends in turns of a unit is equal to itself shifted by that unit.
        looped = max(rule.least_chars, unit * rule.least_repeats, len(text) - place + unit + 1)
        if looped > len(text) or text[-looped:-unit] != text[-looped + unit :]:
            continue
        start = len(text) - looped
        while start > 0 and text[start - 1] == text[start - 1 + unit]:
            start -= 1
        place = start + unit
    return place if place < len(text) else None


def _possible_units(text: str) -> Iterator[int]:
    """Lengths of what may stand twice at the end, the shortest first."""
    window = text[-_LONGEST_UNIT_CHARS - _TAIL_CHARS :]
    tail = window[-_TAIL_CHARS:]
    place = window.rfind(tail, 0, len(window) - 1)
    while place >= 0:
        yield len(window) - len(tail) - place
        place = window.rfind(tail, 0, place + len(tail) - 1)


def cut_loop(text: str, label: str, *, known: bool) -> str:
    """A text with the loop at its end reduced to one turn; a table to whole rows where it has rows.

    Args:
        text: as the model wrote it; tables in OTSL.
        label: of the region.
        known: that the text was stopped because it looped. Otherwise it must loop by the rules for its label,
            and is given back as it is when it does not.
    """
    place = find_loop(text, _KNOWN_LOOP if known else rules_for(label).stream)
    if place is None or label != "table":
        return text[:place]
    row_end = text.find(_ROW_END, place)
    return _BROKEN_TAG.sub("", text[:place]) if row_end < 0 else text[: row_end + len(_ROW_END)]
