"""What the pipeline asks of a layout engine, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from docparse.layout.labels import LABEL_IDS

Image = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]
PixelBox = tuple[int, int, int, int]
ClassKey = str | int
Ratio = float | tuple[float, float]
T = TypeVar("T")
PerClass: TypeAlias = T | Mapping[ClassKey, T] | None


@dataclass(frozen=True, slots=True)
class LayoutBox:
    """One region of a page.

    Attributes:
        cls_id: Class id, the place of `label` in `labels.LABELS`.
        label: One of the 25 classes of PP-DocLayoutV2.
        score: How sure the engine is, 0..1.
        coordinate: x1, y1, x2, y2 in whole pixels of the page, within it.
        order: Place in the reading order, from 1; None for what is not running text.
        polygon_points: Corners in pixels, clockwise from the top left; None when the shape mode is `rect`.
    """

    cls_id: int
    label: str
    score: float
    coordinate: PixelBox
    order: int | None
    polygon_points: list[tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """What a request may ask of layout detection; None leaves it to the engine.

    A mapping gives values per class, keyed by label or class id; a class that it does not name keeps the
    default.

    Attributes:
        threshold: Least score of a detected region, 0..1.
        nms: Whether regions that say the same thing twice are reduced to one.
        unclip_ratio: Factor on the width and height of a region about its centre; a pair is (width, height).
        merge_bboxes_mode: Of nested regions keep the outer (`large`), the inner (`small`) or both (`union`).
        shape_mode: `rect` gives boxes only; `quad`, `poly` and `auto` give polygons as well.
    """

    threshold: PerClass[float] = None
    nms: bool | None = None
    unclip_ratio: PerClass[Ratio] = None
    merge_bboxes_mode: PerClass[str] = None
    shape_mode: str = "auto"


class LayoutDetector(Protocol):
    """A layout engine. Implementations are thread-safe and make no network call."""

    labels: tuple[str, ...]

    def detect(self, images: Sequence[Image], options: Sequence[LayoutOptions]) -> list[list[LayoutBox]]:
        """Find the regions of each page, in reading order.

        Args:
            images: Pages, height x width x 3, BGR, uint8; any size from 1x1.
            options: One per page.
        """
        ...


def per_class(value: PerClass[T], label: str) -> T | None:
    """Look up what an option says for a class: by label, by id (also as a JSON key), or for all of them."""
    if not isinstance(value, Mapping):
        return value
    class_id = LABEL_IDS[label]
    for key in (label, class_id, str(class_id)):
        if key in value:
            return value[key]
    return None
