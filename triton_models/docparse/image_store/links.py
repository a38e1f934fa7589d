"""Our own links, followed without visiting anything: from a URL of the local store to its picture."""

import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path

from docparse.image_store.settings import ImageStoreSettings
from docparse.image_store.signing import picture_path, sign

# The address before the path may be another one that leads to the gateway; the signature says whose link it is.
_LINK = re.compile(
    r"https?://[^\s?#]+/images/(?P<name>[0-9]{10,12}-[0-9a-f]{32}\.jpg)"
    r"\?expires=(?P<expires>[0-9]{1,12})&signature=(?P<signature>[0-9a-f]{64})"
)


class OwnLinks:
    """The folder of the local store, and the secret that its links are signed with."""

    def __init__(self, folder: Path, secret: bytes, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._secret = secret
        self._now = now

    def picture(self, url: str) -> bytes | None:
        """The picture behind a link that is ours and still good; None for any other text."""
        link = _LINK.fullmatch(url)
        if link is None:
            return None
        name, expires = link["name"], int(link["expires"])
        if not hmac.compare_digest(sign(self._secret, name, expires), link["signature"]):
            return None
        if expires <= self._now():
            return None
        try:
            return (self._folder / picture_path(name)).read_bytes()
        except OSError:  # removed, or the folder is not there
            return None


def own_links(settings: ImageStoreSettings) -> OwnLinks | None:
    """Links of the store that the settings ask for; None where it makes none that lead here."""
    if settings.image_store != "local":
        return None
    assert settings.image_store_dir is not None  # noqa: S101 - checked with the settings
    assert settings.image_store_secret is not None  # noqa: S101
    return OwnLinks(settings.image_store_dir, settings.image_store_secret.get_secret_value().encode())
