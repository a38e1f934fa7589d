"""PP-DocLayoutV2 and V3 as a layout engine: one run of the network for a batch, each page read by its own options."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from docparse.layout.detector import Image, LayoutBox, LayoutOptions, PerClass, Ratio, per_class
from docparse.layout.labels import LABEL_IDS
from docparse.paddlex_models import BoxRules, LayoutModel, ModelCannotRun, ModelPlace

Value = TypeVar("Value")


class PaddlexDetector:
    """See `LayoutDetector`. Everything is loaded by the constructor, which also runs the network once."""

    def __init__(self, place: ModelPlace, defaults: LayoutOptions, *, batch_size: int) -> None:
        """Load the model.

        Args:
            place: of the model.
            defaults: what holds where a request says nothing; every field but the shape has a value.
            batch_size: most pages of one batch.

        Raises:
            ModelCannotRun: it does not run on that device, or does not answer as a layout model does.
        """
        self._model = LayoutModel(place)
        self._defaults = defaults
        self.labels: tuple[str, ...] = self._model.labels
        # A GPU's libraries choose their algorithms for each batch size when they first see it.
        sizes = range(1, batch_size + 1) if place.device.startswith("gpu") else (1,)
        for size in sizes:
            self._try(place, size)

    def _try(self, place: ModelPlace, size: int) -> None:
        blank = np.full((800, 800, 3), 255, np.uint8)
        try:
            self.detect([blank] * size, [LayoutOptions()] * size)
        except Exception as error:
            raise ModelCannotRun(
                f"{place.folder.resolve()} does not answer as {place.name} does: {error}"
            ) from error

    def detect(self, images: Sequence[Image], options: Sequence[LayoutOptions]) -> list[list[LayoutBox]]:
        """Find the regions of each page, in reading order; see `LayoutDetector`."""
        filled = [(index, image) for index, image in enumerate(images) if image.size]
        found: list[list[LayoutBox]] = [[] for _ in images]
        if filled:
            raw = self._model.run([image for _, image in filled])
            for (index, _), page in zip(filled, raw, strict=True):
                boxes = self._model.read_boxes(page, box_rules(options[index], self._defaults, self.labels))
                found[index] = [_layout_box(box) for box in boxes]
        return found


def box_rules(asked: LayoutOptions, defaults: LayoutOptions, labels: Sequence[str]) -> BoxRules:
    """What a request asks for, over the defaults, in the model's class ids."""
    nms = defaults.nms if asked.nms is None else asked.nms
    return BoxRules(
        threshold=cast(
            "float | dict[int, float]", _resolve(asked.threshold, defaults.threshold, labels, float)
        ),
        nms=bool(nms),
        unclip_ratio=_resolve(asked.unclip_ratio, defaults.unclip_ratio, labels, _pair),
        merge_mode=_resolve(asked.merge_bboxes_mode, defaults.merge_bboxes_mode, labels, str),
        shape_mode=asked.shape_mode,
    )


def _resolve(
    asked: PerClass[Any], default: PerClass[Any], labels: Sequence[str], read: Callable[[Any], Value]
) -> Value | dict[int, Value] | None:
    """One value for all classes where that is what is said, else one for each; asked before default."""
    if asked is None:
        asked, default = default, None
    if not isinstance(asked, Mapping):
        return None if asked is None else read(asked)
    values: dict[int, Value] = {}
    for class_id, label in enumerate(labels):
        value = per_class(asked, label) if label in LABEL_IDS else None
        if value is None:
            value = per_class(default, label) if label in LABEL_IDS else None
        if value is not None:
            values[class_id] = read(value)
    return values


def _pair(ratio: Ratio) -> tuple[float, float]:
    """PaddleX multiplies whole numbers in vain, and raises on them."""
    if isinstance(ratio, int | float):
        return float(ratio), float(ratio)
    across, down = ratio
    return float(across), float(down)


def _layout_box(box: Mapping[str, Any]) -> LayoutBox:
    x1, y1, x2, y2 = box["coordinate"]
    points = box.get("polygon_points")
    outline = None if points is None else [(float(x), float(y)) for x, y in points]
    return LayoutBox(box["cls_id"], box["label"], box["score"], (x1, y1, x2, y2), box["order"], outline)
