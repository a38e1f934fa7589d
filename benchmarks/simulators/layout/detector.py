"""The simulated detector as the product's `layout-detection` model runs it."""

from collections.abc import Sequence

from benchmarks.simulators.layout.costs import DetectorClock
from benchmarks.simulators.layout.regions import make_regions
from docparse.layout.detector import Image, LayoutBox, LayoutOptions
from docparse.layout.labels import LABEL_IDS, LABELS, UNORDERED_LABELS

_SCORE = 0.9


class SimulatedDetector:
    """A `LayoutDetector` that looks at a page's size only, and takes a set time for a batch."""

    labels = LABELS

    def __init__(self, clock: DetectorClock, seed: int) -> None:
        self._clock = clock
        self._seed = seed

    def detect(self, images: Sequence[Image], options: Sequence[LayoutOptions]) -> list[list[LayoutBox]]:
        """Regions of each page; `options` change nothing."""
        del options
        self._clock.spend(len(images))
        return [self._page(image) for image in images]

    def _page(self, image: Image) -> list[LayoutBox]:
        height, width = image.shape[:2]
        boxes = []
        for order, region in enumerate(make_regions(width, height, self._seed), start=1):
            place = None if region.label in UNORDERED_LABELS else order
            boxes.append(LayoutBox(LABEL_IDS[region.label], region.label, _SCORE, region.box, place))
        return boxes
