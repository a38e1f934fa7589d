"""PaddleX's document code, which defines the forms of PaddleOCR, behind our own names; imported nowhere else.

Most of it is not PaddleX's public API: the version is pinned, and tests/docparse/test_paddlex_contract.py
says what is relied on. None of it needs paddlepaddle, a model or the network.
"""

import random
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paddlex.inference.pipelines.components import CropByBoxes, rotate_image
from paddlex.inference.pipelines.layout_parsing.merge_table import merge_tables_across_pages
from paddlex.inference.pipelines.layout_parsing.title_level import assign_levels_to_parsing_res
from paddlex.inference.pipelines.layout_parsing.utils import construct_img_path, gather_imgs
from paddlex.inference.pipelines.paddleocr_vl.result import PaddleOCRVLBlock, PaddleOCRVLResult
from paddlex.inference.pipelines.paddleocr_vl.uilts import (
    convert_otsl_to_html,
    crop_margin,
    filter_overlap_boxes,
    merge_blocks,
    post_process_for_spotting,
    pre_process_for_spotting,
    tokenize_figure_of_table,
    truncate_repetitive_content,
    untokenize_figure_of_table,
)
from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

# A detected box as PaddleX passes it about: cls_id, label, score, coordinate, order, maybe polygon_points.
Box = dict[str, Any]

# A crop as PaddleX passes it about: img, box, label, maybe polygon_points and group_id.
Crop = dict[str, Any]

Block = PaddleOCRVLBlock
PageForm = PaddleOCRVLResult

_crop_by_boxes = CropByBoxes()

# tokenize_figure_of_table seeds the process's own random generator.
_random_lock = threading.Lock()


def image_key(label: str, box: Sequence[float]) -> str:
    """Name of a picture in the Markdown and in `markdown.images`."""
    return str(construct_img_path(label, box))


def filter_overlaps(boxes: list[Box], shape_mode: str) -> list[Box]:
    """The boxes without `reference` containers, those under 6 px, and those covered by another."""
    filtered: list[Box] = filter_overlap_boxes({"boxes": boxes}, shape_mode)["boxes"]
    return filtered


def crop_boxes(image: "Picture", boxes: list[Box], shape_mode: str) -> list[Crop]:
    """A copy of each box's pixels, white outside its polygon."""
    crops: list[Crop] = _crop_by_boxes(image, boxes, shape_mode)
    return crops


def merge_adjacent(crops: list[Crop], pictures: Sequence[str]) -> list[Crop]:
    """Join text blocks that continue one another: the first gets the joint picture, the others None."""
    apart = {*pictures, "table"}
    sized = [
        crop if crop["label"] in apart else {**crop, "img": _SizedPicture(crop["img"])} for crop in crops
    ]
    merged: list[Crop] = merge_blocks(sized, non_merge_labels=list(apart))
    for crop in merged:
        if crop.get("merge_aligns") == []:  # joined with nothing: PaddleX has copied it
            crop["img"] = crops[crop["group_id"]]["img"]
        elif isinstance(crop["img"], _SizedPicture):
            crop["img"] = crop["img"].pixels
    return merged


class _SizedPicture(Image.Image):
    """A crop for `merge_blocks`, which makes a PIL image of each to ask for its size; few are ever joined.

    As with Pillow's own files, pixels are converted when they are first needed.
    """

    def __init__(self, pixels: "Picture") -> None:
        super().__init__()
        self.pixels = pixels
        self._mode = "RGB"
        height, width = pixels.shape[:2]
        self._size = (width, height)

    def load(self) -> Any:
        """Convert the pixels, unless they are."""
        if getattr(self, "_im", None) is None:
            self.im = Image.fromarray(self.pixels).im
        return super().load()

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The pixels as they are."""
        return self.pixels.__array_interface__


def gather_figures(image: "Picture", boxes: list[Box]) -> list[dict[str, Any]]:
    """Pictures and seals of a page, with `path`, `img` (PIL, RGB) and whole-pixel `coordinate`."""
    figures: list[dict[str, Any]] = gather_imgs(image, boxes)
    return figures


def tokenize_figures(
    table: "Picture", box: Sequence[float], figures: list[dict[str, Any]]
) -> tuple["Picture", dict[str, str], list[str]]:
    """Paint a token such as `[F3]` over each figure inside a table, for the VLM to read as a cell's text.

    Returns:
        The painted copy; image keys by token; keys of the figures that the table swallows.
    """
    with _random_lock:
        state = random.getstate()
        try:
            picture, keys_by_token, swallowed = tokenize_figure_of_table(table, box, figures)
        finally:
            random.setstate(state)
    return picture, keys_by_token, swallowed


def untokenize_figures(
    content: str, keys_by_token: Mapping[str, str], blocks_by_key: Mapping[str, Any]
) -> str:
    """Put the figures' `<img>` where the VLM read their tokens."""
    return str(untokenize_figure_of_table(content, keys_by_token, blocks_by_key))


def rotate(page: "Picture", angle: int) -> "Picture":
    """The page turned against the clock by 0, 90, 180 or 270 degrees; its sides change places with it."""
    turned: Picture = rotate_image(page, angle)
    return turned


def trim_margin(formula: "Picture") -> "Picture":
    """Cut the white margin off a formula, unless next to nothing remains."""
    trimmed: Picture = crop_margin(formula)
    height, width = trimmed.shape[:2]
    return trimmed if height > 2 and width > 2 else formula


def enlarge_for_spotting(page: "Picture") -> "Picture":
    """Double a page whose sides are both under 1,500 px."""
    enlarged: Picture = pre_process_for_spotting(page)
    return enlarged


def read_spotting(text: str, width: int, height: int) -> tuple[str, dict[str, Any]]:
    """Text and `{"rec_polys", "rec_texts"}` (page pixels) of a spotting answer."""
    content, spotting = post_process_for_spotting(text, width, height)
    return str(content), spotting


def truncate_repetition(text: str, min_characters: int) -> str:
    """Cut what a model that began to repeat itself wrote; shorter texts are left alone."""
    return str(truncate_repetitive_content(text, min_count=min_characters))


def otsl_to_html(otsl: str) -> str:
    """The table as HTML; empty when the text is no OTSL."""
    return str(convert_otsl_to_html(otsl))


def join_tables(pages: list[list[Any]]) -> None:
    """Move a table's continuation on the next page into the table, in place; needs global block ids."""
    merge_tables_across_pages(pages)


def level_titles(pages: list[list[Any]]) -> None:
    """Give each paragraph title its level in the whole document, in place."""
    assign_levels_to_parsing_res(pages)


class JpegFile:
    """An encoded picture in the place of the PIL image that PaddleX's Word export saves."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def save(self, path: str | Path) -> None:
        """Write the picture as it is."""
        Path(path).write_bytes(self._data)


def write_docx(form: Any, folder: Path) -> Path:
    """Write the page as a Word document into `folder`; its pictures must be `JpegFile`s."""
    form.save_to_word(str(folder))
    return next(folder.glob("*.docx"))
