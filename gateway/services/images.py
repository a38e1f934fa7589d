"""Pictures that Triton's model left in a folder, shown to whoever has a signed link."""

import asyncio
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import ImageGone, InvalidLink, LinkExpired

# A picture's name begins with the name of its folder. See `docparse/image_store/signing.py`; a golden file holds
# both together.
NAME = re.compile(r"(?P<folder>[0-9]{10,12})-[0-9a-f]{32}\.jpg")
EXPIRES = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG, and for how long its link is still good."""

    data: bytes
    seconds_left: int


class Images:
    """The folder, and the secret that links are signed with."""

    def __init__(self, folder: Path, secret: bytes, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._secret = secret
        self._now = now

    async def find(self, name: str, *, expires: str, signature: str) -> Picture:
        """The picture behind a link.

        Raises:
            InvalidLink: the link is not one of ours; nothing is looked up for it.
            LinkExpired: it was.
            ImageGone: its picture was removed.
        """
        match = NAME.fullmatch(name)
        expected = hmac.digest(self._secret, f"{name}\n{expires}".encode(), "sha256").hex()
        # In constant time, and for every name alike, so that nothing is learnt by trying.
        signed = hmac.compare_digest(expected.encode(), signature.encode())
        if match is None or EXPIRES.fullmatch(expires) is None or not signed:
            raise InvalidLink("The link is not valid: its signature does not match.")
        seconds_left = int(expires) - self._now()
        if seconds_left <= 0:
            raise LinkExpired("The link has expired; parse the document again for a new one.")
        try:
            data = await asyncio.to_thread((self._folder / match["folder"] / name).read_bytes)
        except FileNotFoundError:
            raise ImageGone("The image is gone; parse the document again for a new one.") from None
        return Picture(data, int(seconds_left))
