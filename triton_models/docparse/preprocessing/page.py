"""What is asked about a page, and what becomes of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

# PaddleX's word for a page that nobody has looked at.
NOT_CLASSIFIED = -1


@dataclass(frozen=True, slots=True)
class PreprocessingOptions:
    """What is done to a page; in this order.

    Attributes:
        orientation: turn it upright.
        unwarping: flatten it.
    """

    orientation: bool
    unwarping: bool


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """A page after it.

    Attributes:
        angle: by how many degrees it was turned, against the clock: 0, 90, 180 or 270; -1 when it was not looked at.
        image: HxWx3 uint8 BGR, the page as it goes on.
    """

    angle: int
    image: "Image"
