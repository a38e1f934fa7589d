"""Orientation and unwarping of a batch of pages, by PaddleX's models."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from docparse.paddlex_forms import rotate
from docparse.paddlex_models import ModelPlace, OrientationModel, UnwarpingModel
from docparse.preprocessing.page import NOT_CLASSIFIED, Preprocessed, PreprocessingOptions
from docparse.preprocessing.settings import ORIENTATION_MODEL, UNWARPING_MODEL, PreprocessingSettings

if TYPE_CHECKING:
    from docparse.preprocessing.page import Image

# A strip is scaled until its short side is 256 px, and one of 1 x 3,000 px would become half a gigabyte. The network
# looks at the middle alone, so that of longer strips is enough.
_LONGEST_STRIP = 20


class Preprocessor:
    """Loads what the settings name; each model runs once at the start."""

    def __init__(self, settings: PreprocessingSettings) -> None:
        def place(name: str, folder: Path) -> ModelPlace:
            return ModelPlace(name, folder, device=settings.layout_device, threads=settings.layout_threads)

        orientation, unwarping = settings.doc_orientation_model_dir, settings.doc_unwarping_model_dir
        self._orientation = (
            None if orientation is None else OrientationModel(place(ORIENTATION_MODEL, orientation))
        )
        self._unwarping = None if unwarping is None else UnwarpingModel(place(UNWARPING_MODEL, unwarping))
        self.preprocess([np.full((64, 64, 3), 255, np.uint8)], [self.everything])

    @property
    def everything(self) -> PreprocessingOptions:
        """Whatever is loaded."""
        return PreprocessingOptions(self._orientation is not None, self._unwarping is not None)

    def preprocess(
        self, pages: Sequence["Image"], options: Sequence[PreprocessingOptions]
    ) -> list[Preprocessed]:
        """What each page asks for, in PaddleX's order: turned first, then flattened.

        Raises:
            ValueError: a page asks for a model that is not loaded.
        """
        angles = self._classify(pages, options)
        turned = [
            page if angle == NOT_CLASSIFIED else rotate(page, angle)
            for page, angle in zip(pages, angles, strict=True)
        ]
        return [
            Preprocessed(angle, self._flatten(page) if asked.unwarping else page)
            for page, angle, asked in zip(turned, angles, options, strict=True)
        ]

    def _classify(self, pages: Sequence["Image"], options: Sequence[PreprocessingOptions]) -> list[int]:
        """In one run for all that want it: their pictures are all made 224 x 224."""
        angles = [NOT_CLASSIFIED] * len(pages)
        wanted = [index for index, asked in enumerate(options) if asked.orientation]
        if wanted:
            if self._orientation is None:
                raise ValueError("the orientation model is not loaded")
            found = self._orientation.find_angles([_middle(pages[index]) for index in wanted])
            for index, angle in zip(wanted, found, strict=True):
                angles[index] = angle
        return angles

    def _flatten(self, page: "Image") -> "Image":
        """Alone: pages of different sizes do not fit into one input, and PaddleX's code takes one at a time."""
        if self._unwarping is None:
            raise ValueError("the unwarping model is not loaded")
        return self._unwarping.flatten(page)


def _middle(page: "Image") -> "Image":
    height, width = page.shape[:2]
    longest = _LONGEST_STRIP * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return page[top : top + longest, left : left + longest]
