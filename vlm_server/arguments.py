"""An engine's flags as they are put together: a later one takes the place of an earlier one of the same name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vlm_server.catalogue import FlagList
from vlm_server.refusal import Refusal

# A flag that stands alone, one value, or several.
Value = bool | str | tuple[str, ...]


@dataclass(slots=True)
class Arguments:
    """Flags by name, without `--`, in order."""

    known: FlagList
    flags: dict[str, Value] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> Value | None:
        return self.flags.get(name)

    def set(self, name: str, value: object) -> None:
        """Set a flag to a value of a preset or a configuration file; None and False take it away, so does "".

        `no-x` takes `x` away and the other way round, for the engine would see both.
        """
        name = name.removeprefix("--").replace("_", "-")
        opposite = name.removeprefix("no-") if name.startswith("no-") else f"no-{name}"
        self.flags.pop(opposite, None)
        if value is None or value is False or value == "":
            self.flags.pop(name, None)
            if value is False and f"--no-{name}" in self.known.switches:
                self.flags[f"no-{name}"] = True
            return
        if f"--{name}" not in self.known:
            self.unknown.append(f"--{name}")
        self.flags[name] = _as_value(value)

    def add_tokens(self, tokens: Sequence[str]) -> None:
        """Set what was written on a command line in the engine's own words.

        Raises:
            Refusal: a value stands where no flag takes it.
        """
        for name, values in _split(tokens):
            flag = f"--{name}"
            if flag in self.known.switches or (flag not in self.known and not values):
                if values:
                    raise Refusal(f"{flag} of {self.known.engine} takes no value, but `{values[0]}` follows.")
                self.set(name, value=True)
            elif not values:
                raise Refusal(f"{flag} of {self.known.engine} needs a value.")
            elif len(values) > 1 and flag in self.known.values:
                raise Refusal(f"{flag} of {self.known.engine} takes one value, got {' '.join(values)}.")
            else:
                self.set(name, values if len(values) > 1 else values[0])

    def number(self, name: str) -> float | None:
        """A flag's value as a number; None when it is not set.

        Raises:
            Refusal: it is no number.
        """
        value = self.flags.get(name)
        if value is None:
            return None
        if value is True:
            raise Refusal(f"--{name} needs a value.")
        try:
            return float(str(value))
        except ValueError:
            raise Refusal(f"--{name} must be a number, not `{value}`.") from None

    def as_list(self) -> list[str]:
        """The command line."""
        words = []
        for name, value in self.flags.items():
            words.append(f"--{name}")
            if isinstance(value, tuple):
                words.extend(value)
            elif value is not True:
                words.append(str(value))
        return words


def _as_value(value: object) -> Value:
    if value is True:
        return True
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return tuple(str(each) for each in value)
    return str(value)


def _split(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    name: str | None = None
    values: list[str] = []
    for token in tokens:
        if not token.startswith("--"):
            if name is None:
                raise Refusal(f"`{token}` after `--` is no flag of an engine.")
            values.append(token)
            continue
        if name is not None:
            yield name, values
        head, equals, value = token.removeprefix("--").partition("=")
        name, values = head.replace("_", "-"), [value] if equals else []
    if name is not None:
        yield name, values


def read_backend_config(path: str) -> dict[str, Any]:
    """The mapping in a file for `--backend_config`: flags without `--`, with dashes or underscores.

    Raises:
        Refusal: it is no such file.
    """
    try:
        import yaml  # noqa: PLC0415  engines have it; without a file it is not needed
    except ModuleNotFoundError as error:
        raise Refusal("--backend_config needs the package PyYAML, which is not installed here.") from error
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  /dev/fd/63 of a shell's <(...), read once
            content = yaml.safe_load(file)
    except OSError as error:
        raise Refusal(f"--backend_config {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal(f"--backend_config {path} is not YAML: {' '.join(str(error).split())}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise Refusal(f"--backend_config {path} must be a mapping of flags to values.")
    return content
