"""The vocabulary of a scripted checkpoint, and which token follows which.

Every piece of every script is a token of its own, even where two scripts say the same word. So the token that comes
next is a function of the current one alone, and the model can be one lookup.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
IMAGE, IMAGE_START, IMAGE_END, VIDEO = (
    "<|IMAGE_PLACEHOLDER|>", "<|IMAGE_START|>", "<|IMAGE_END|>", "<|video_pad|>",
)  # fmt: skip
SPECIALS = (
    UNKNOWN, BEGIN, END, "<|begin_of_sentence|>", "<|end_of_sentence|>", IMAGE, IMAGE_START, IMAGE_END, VIDEO,
    *(f"<|LOC_{number}|>" for number in range(20)),
)  # fmt: skip
END_ID = SPECIALS.index(END)
ANY = "*"

# Signs of an image's mean red, green and blue, after the processor has moved 0..255 to -1..1.
COLOURS = {
    "black": (-1, -1, -1), "red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1),
    "yellow": (1, 1, -1), "magenta": (1, -1, 1), "cyan": (-1, 1, 1), "white": (1, 1, 1),
}  # fmt: skip

# The structure of PaddleOCR-VL's own template: pictures first, then the text.
CHAT_TEMPLATE = """\
{{- "<|begin_of_sentence|>" -}}
{%- for message in messages if message["role"] == "user" -%}
  {{- "User: " -}}
  {%- if message["content"] is string -%}{{ message["content"] }}{%- else -%}
    {%- for part in message["content"] if part["type"] == "image" -%}
      {{ "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>" }}
    {%- endfor -%}
    {%- for part in message["content"] if part["type"] == "text" -%}{{ part["text"] }}{%- endfor -%}
  {%- endif -%}
  {{ "\\n" -}}
{%- endfor -%}
{{- "Assistant:\\n" -}}"""

# A word with the space after it, or space alone. A location is one token, as in the real vocabulary.
_PIECE = re.compile(r"<\|LOC_\d+\|>|(?:(?!<\|LOC_)\S)+\s*|\s+")


@dataclass
class Script:
    """What is said to one task about pictures of one colour; `loops` never ends it."""

    task: str
    colour: str
    text: str
    loops: bool

    @classmethod
    def read_all(cls, scripts: dict[str, dict[str, Any]]) -> "list[Script]":
        """From `{task: {colour: text or {"loop": text}}}`; a colour `*` is every one that the task does not name."""
        found = []
        for task, by_colour in scripts.items():
            for colour, text in by_colour.items():
                looped = isinstance(text, dict)
                found.append(cls(task, colour, text["loop"] if looped else text, looped))
        return found


@dataclass
class Vocabulary:
    """Tokens and their order.

    Attributes:
        tasks: prompts that are tokens of their own.
        follows: the token after each token of a script.
        entries: task, colour and the token that a script begins with.
    """

    ids: dict[str, int] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)
    follows: dict[int, int] = field(default_factory=dict)
    entries: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, token: str) -> int:
        return self.ids.setdefault(token, len(self.ids))

    def add_piece(self, piece: str) -> int:
        """A new token that reads as `piece`."""
        return self.add(f"⟦{len(self.ids)}⟧{_as_bytes(piece)}")


def build_vocabulary(scripts: list[Script]) -> Vocabulary:
    """Give every piece of every script its token."""
    vocabulary = Vocabulary()
    for token in [*SPECIALS, *sorted(_byte_letters().values())]:
        vocabulary.add(token)
    vocabulary.tasks = list(dict.fromkeys(script.task for script in scripts if script.task != ANY))
    for task in vocabulary.tasks:
        vocabulary.add(task)
    named = {(script.task, script.colour) for script in scripts}
    for script in scripts:
        pieces = _PIECE.findall(script.text)
        tokens = [
            vocabulary.ids[piece]
            if piece in vocabulary.ids and piece in SPECIALS
            else vocabulary.add_piece(piece)
            for piece in pieces
        ]
        last = tokens[0] if script.loops else END_ID
        vocabulary.follows |= dict(zip(tokens, [*tokens[1:], last], strict=True))
        colours = [script.colour]
        if script.colour == ANY:
            colours = [colour for colour in COLOURS if (script.task, colour) not in named]
        for number, colour in enumerate(colours):
            entry = tokens[0]
            if number:  # each colour enters by a token of its own; the second is shared
                entry = vocabulary.add_piece(pieces[0])
                vocabulary.follows[entry] = vocabulary.follows[tokens[0]]
            vocabulary.entries.append((script.task, colour, entry))
    return vocabulary


def build_tokenizer(vocabulary: Vocabulary) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer over it, which hides the numbers of pieces when it decodes."""
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary.ids, merges=[], unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex("⟦[0-9]+⟧"), ""), decoders.ByteLevel()])
    tokenizer.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in SPECIALS])
    tokenizer.add_tokens([AddedToken(task, special=False, normalized=False) for task in vocabulary.tasks])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, unk_token=UNKNOWN, pad_token=UNKNOWN,
        model_max_length=16384, extra_special_tokens={"image_token": IMAGE},
    )  # fmt: skip
    fast.chat_template = CHAT_TEMPLATE
    return fast


def _byte_letters() -> dict[int, str]:
    """The letter that byte-level tokenizers write each byte as."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain}
    return letters | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _as_bytes(text: str) -> str:
    letters = _byte_letters()
    return "".join(letters[byte] for byte in text.encode())
