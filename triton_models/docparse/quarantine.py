"""Regions that bring a VLM server down: found out, and not sent again for a while.

A server that dies takes all its calls with it, most of them innocent. So nobody is judged by one death. A call that
was lost before the first word of its answer makes its region a suspect: servers die while they read a picture, not
while they write about it. Suspects are sent one at a time to a server, each just after its health probe answered.
Whoever is lost again, as the only suspect there, is in quarantine: a region brings down two servers at most, and a
region that only was there when one died is free as soon as it is answered.

Regions are known by a digest of their picture and prompt, so that a client that asks once more does not kill once more.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

# Far more than are in flight at any time, at a hundred bytes each.
_MOST_KEPT = 10_000


class Quarantine:
    """Which regions are suspects, and which have been found out."""

    def __init__(self, strikes: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """In quarantine after so many `strikes`, of which all but the first came alone; forgotten after `seconds`."""
        self._most_strikes = strikes
        self._seconds = seconds
        self._clock = clock
        self._strikes: OrderedDict[bytes, tuple[int, float]] = OrderedDict()

    def holds(self, key: bytes) -> bool:
        """Whether it may not be sent."""
        return self._count(key) >= self._most_strikes

    def suspects(self, key: bytes) -> bool:
        """Whether it may only be sent as the one suspect."""
        return self._count(key) > 0

    def __bool__(self) -> bool:
        """Whether anything is known of any region."""
        return bool(self._strikes)

    def strike(self, key: bytes, *, was_suspect: bool) -> None:
        """It was lost with the server that it was sent to; as a suspect it was alone, and the server lived."""
        # The same picture may have been in flight several times, say a letterhead: one death is one strike.
        strikes = self._count(key) + 1 if was_suspect else max(1, self._count(key))
        self._strikes.pop(key, None)
        self._strikes[key] = strikes, self._clock() + self._seconds
        while len(self._strikes) > _MOST_KEPT:
            self._strikes.popitem(last=False)

    def clear(self, key: bytes) -> None:
        """It was answered."""
        self._strikes.pop(key, None)

    def _count(self, key: bytes) -> int:
        strikes, until = self._strikes.get(key, (0, 0.0))
        if strikes and self._clock() >= until:
            del self._strikes[key]
            return 0
        return strikes


def digest_of(image: bytes, prompt: str) -> bytes:
    """What a region is known by."""
    digest = hashlib.blake2b(image, digest_size=16)
    digest.update(prompt.encode())
    return digest.digest()
