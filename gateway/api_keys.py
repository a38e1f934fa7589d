"""The keys that clients may show: how operators write them, and whose a given key is."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Names stand in log lines; keys travel in a header.
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
KEY = re.compile(r"[!-~]{1,512}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who holds a key, and the SHA-256 of it. The key itself is not kept."""

    name: str
    digest: bytes = field(repr=False)


class ApiKeys:
    """All keys that are valid."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = tuple(keys)

    def name_of(self, key: bytes) -> str | None:
        """Name of the key's holder; None when nobody holds it.

        The time does not tell how much of the key is right, nor whose it nearly is: digests are compared, and
        all of them.
        """
        digest = hashlib.sha256(key).digest()
        found = None
        for each in self._keys:
            if hmac.compare_digest(each.digest, digest):
                found = each.name
        return found


def parse_entries(text: str) -> tuple[ApiKey, ...]:
    """Keys written as `name:key,name:key`.

    Raises:
        ValueError: not of that form, or no key in it. The text is not repeated: it may be a key.
    """
    return _parse((part.strip(), f"entry {number}") for number, part in enumerate(text.split(","), 1))


def read_file(path: Path) -> tuple[ApiKey, ...]:
    """Keys of a file with one `name:key` a line; empty lines and lines that begin with # say nothing.

    Raises:
        ValueError: it cannot be read, is not of that form, or holds no key.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"cannot read {path}: {reason}") from None
    numbered = ((line.strip(), f"line {number}") for number, line in enumerate(lines, 1))
    return _parse((line, where) for line, where in numbered if not line.startswith("#"))


def check_distinct(keys: Sequence[ApiKey]) -> None:
    """See that each name and each key stands once.

    Raises:
        ValueError: naming the holders.
    """
    holders: dict[bytes, str] = {}
    names: set[str] = set()
    for each in keys:
        if each.name in names:
            raise ValueError(f"the name {each.name!r} has two keys")
        if each.digest in holders:
            raise ValueError(f"{holders[each.digest]!r} and {each.name!r} have the same key")
        names.add(each.name)
        holders[each.digest] = each.name


def _parse(entries: Iterable[tuple[str, str]]) -> tuple[ApiKey, ...]:
    keys = tuple(_parse_entry(entry, where) for entry, where in entries if entry)
    if not keys:
        # An operator who asks for keys and gives none must not get an open service.
        raise ValueError("holds no key; leave it unset for a service without keys")
    return keys


def _parse_entry(entry: str, where: str) -> ApiKey:
    name, colon, key = (part.strip() for part in entry.partition(":"))
    if not colon:
        raise ValueError(f"{where} must be name:key")
    if not NAME.fullmatch(name):
        raise ValueError(f"{where} must have a name of letters, digits, '.', '_' or '-' before its colon")
    if not KEY.fullmatch(key):
        raise ValueError(f"{where} must have a key of visible ASCII characters after its colon")
    return ApiKey(name, hashlib.sha256(key.encode("ascii")).digest())
