"""What a store of pictures does, wherever it keeps them."""

from collections.abc import Sequence
from typing import Protocol


class StoreFailed(Exception):
    """A picture could not be kept, or the store cannot be opened; the message is for operators."""


class ImageStore(Protocol):
    """Keeps pictures for a while; one per process, for all documents."""

    async def keep(self, pictures: Sequence[bytes]) -> list[str]:
        """Keep JPEGs, each under a new name that cannot be guessed; their URLs, in the same order.

        Nothing that was kept before is ever replaced.

        Raises:
            StoreFailed: at least one could not be kept. Those that were are left to expire.
        """
        ...

    def close(self) -> None:
        """End what the store runs beside requests; pictures stay until they expire."""
        ...
