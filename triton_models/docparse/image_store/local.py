"""Pictures in a folder that the gateway serves from, for as long as their URLs are good."""

import asyncio
import itertools
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from docparse.image_store.signing import picture_name, picture_path, signed_url
from docparse.image_store.store import StoreFailed

logger = logging.getLogger(__name__)

_FOLDER = re.compile(r"[0-9]{10,12}")
_PICTURE = re.compile(r"[0-9]{10,12}-[0-9a-f]{32}\.jpg")
SWEEP_SECONDS = 60.0
# The gateway's clock may be behind ours.
GRACE_SECONDS = 60
# So that a pass over a huge folder holds nobody up; the next pass goes on.
MOST_REMOVED_AT_ONCE = 10_000


class LocalStore:
    """Writes pictures and, on a thread of its own, removes those whose time is over.

    Any number of processes may share the folder, each removing what it finds expired.
    """

    def __init__(
        self,
        folder: Path,
        *,
        base_url: str,
        secret: bytes,
        url_seconds: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open the folder, made if missing.

        Raises:
            StoreFailed: the folder cannot be made or written to.
        """
        self._folder = folder
        self._base_url = base_url
        self._secret = secret
        self._url_seconds = url_seconds
        self._now = now
        _check_writable(folder)
        self._closed = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_often, name="image-sweeper", daemon=True)
        self._sweeper.start()

    async def keep(self, pictures: Sequence[bytes]) -> list[str]:
        """See `ImageStore`."""
        return await asyncio.to_thread(self._keep_all, pictures)

    def close(self) -> None:
        """See `ImageStore`."""
        self._closed.set()
        self._sweeper.join()

    def _keep_all(self, pictures: Sequence[bytes]) -> list[str]:
        try:
            return [self._keep_one(picture) for picture in pictures]
        except OSError as error:
            raise StoreFailed(f"cannot write to {self._folder}: {error.strerror}") from error

    def _keep_one(self, picture: bytes) -> str:
        expires = int(self._now()) + self._url_seconds
        name = picture_name(expires, secrets.token_hex(16))
        path = self._folder / picture_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never over another file. Nobody knows the name before the file is complete.
        with path.open("xb") as file:
            file.write(picture)
        return signed_url(self._base_url, self._secret, name, expires)

    def _sweep_often(self) -> None:
        while True:
            try:
                sweep(self._folder, self._now())
            except OSError as error:
                logger.warning("expired pictures cannot be removed: %s", error)
            if self._closed.wait(SWEEP_SECONDS):
                return


def sweep(folder: Path, now: float, *, most: int = MOST_REMOVED_AT_ONCE) -> int:
    """Remove expired pictures, at most so many, and their folders; what a store did not make is left alone.

    Returns:
        How many pictures were removed.

    Raises:
        OSError: the folder cannot be read, or a picture not removed.
    """
    removed = 0
    for path in itertools.islice(_expired(folder, now), most):
        path.unlink(missing_ok=True)  # another process may have been faster
        removed += 1
    for each in _expired_folders(folder, now):
        with suppress(OSError):  # not empty, or gone
            each.rmdir()
    return removed


def _expired(folder: Path, now: float) -> Iterator[Path]:
    for each in _expired_folders(folder, now):
        with suppress(FileNotFoundError):
            yield from (path for path in each.iterdir() if _PICTURE.fullmatch(path.name))


def _expired_folders(folder: Path, now: float) -> list[Path]:
    return sorted(
        each
        for each in folder.iterdir()
        if _FOLDER.fullmatch(each.name) and int(each.name) + GRACE_SECONDS <= now
    )


def _check_writable(folder: Path) -> None:
    probe = folder / f".probe-{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise StoreFailed(f"HPS_IMAGE_STORE_DIR: cannot write to {folder}: {error.strerror}") from error
