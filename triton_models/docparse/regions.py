"""From the boxes of a page to the regions that the VLM reads: filtered, cropped, merged, prepared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from docparse import paddlex_forms
from docparse.layout.detector import LayoutBox
from docparse.options import ParseOptions
from docparse.preprocessing import PreprocessingOptions
from docparse.prompts import PROMPTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

# One merged patch of the vision tower: engines have crashed on smaller pictures.
MIN_SIDE_PIXELS = 28

# vLLM refuses pictures whose sides differ more than 200-fold; scaling to whole patches can add a third to
# the ratio of a long thin strip, so strips are widened well before.
MAX_ASPECT_RATIO = 100


@dataclass(frozen=True, slots=True)
class RegionRequest:
    """One thing to recognise.

    Attributes:
        index: the region's position in `PageRegions.regions`.
        image: HxWx3 uint8 BGR, no side under 28 px and no side over 100 times the other. Scaling to the pixel
            limits is the caller's. None once it is encoded.
        prompt: the words that the model was trained on.
        min_pixels, max_pixels: limits within which the model sees it.
        label: layout class.
        skip_special_tokens: false where the answer has its meaning in special tokens (spotting).
    """

    index: int
    image: "Picture | None"
    prompt: str
    min_pixels: int
    max_pixels: int
    label: str
    skip_special_tokens: bool = True


@dataclass(frozen=True, slots=True)
class Region:
    """A block of the page to be, without its text.

    Attributes:
        box: x1, y1, x2, y2 in page pixels.
        image_key: set where the region shows as a picture.
        figure_tokens: image keys by the token painted over a figure, for tables.
        width, height: pixels of its crop.
    """

    label: str
    box: tuple[int, int, int, int]
    group_id: int | None
    polygon_points: list[Any] | None
    image_key: str | None
    figure_tokens: Mapping[str, str]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PageOrigin:
    """How a page came to look as it does, where it was preprocessed.

    Attributes:
        options: what was done to it.
        angle: by how many degrees it was turned, against the clock; -1 when it was not looked at.
        image: the page before, HxWx3 uint8 BGR; kept only when it will be shown.
    """

    options: PreprocessingOptions
    angle: int
    image: "Picture | None"


@dataclass(frozen=True, slots=True)
class EncodedPictures:
    """JPEGs of a page as far as its request wants them: crops by image key, the page as it came, drawings on it."""

    pictures: dict[str, bytes]
    word_pictures: dict[str, bytes]
    input_image: bytes | None
    output_images: dict[str, bytes]


@dataclass(slots=True)
class PageRegions:
    """A page between layout and assembly.

    Attributes:
        position: of the page among those parsed, from 0; None when the caller did not say.
        image: the page itself, HxWx3 uint8 BGR, preprocessed if it was; kept only when it will be drawn.
        boxes: as detected, in PaddleX's form; None when layout detection is off.
        pictures: BGR crops by image key; None once they are encoded.
        outlined_pictures: of those, crops that are white outside of their outline, as a Word document shows them.
        gathered_keys: pictures that appear in `markdown.images` even when no block shows them.
        swallowed_keys: pictures inside a table, which shows them itself.
        requests: what must be recognised; the caller may drop them once they are.
        encoded: pictures for the answer, once `assembly.encode_pictures` has made them of the pixels.
        origin: set where the page was preprocessed.
    """

    position: int | None
    width: int
    height: int
    image: "Picture | None"
    boxes: list[paddlex_forms.Box] | None
    regions: list[Region] = field(default_factory=list)
    pictures: dict[str, "Picture | None"] = field(default_factory=dict)
    outlined_pictures: dict[str, "Picture"] = field(default_factory=dict)
    gathered_keys: list[str] = field(default_factory=list)
    swallowed_keys: set[str] = field(default_factory=set)
    requests: list[RegionRequest] = field(default_factory=list)
    encoded: "EncodedPictures | None" = None
    origin: PageOrigin | None = None

    @property
    def image_keys(self) -> list[str]:
        """Keys under which the page's pictures will appear, before any is renamed."""
        return list(self.pictures)


def build_regions(
    image: "Picture", boxes: Sequence[LayoutBox] | None, options: ParseOptions, *, position: int | None = None
) -> PageRegions:
    """Find out what to recognise on a page.

    Args:
        image: HxWx3 uint8 BGR.
        boxes: in reading order; None when layout detection is off: the page is one region.
        options: of the request.
        position: of the page among those parsed, from 0.
    """
    height, width = image.shape[:2]
    found = None if boxes is None else _usable_boxes(boxes, width, height, options.layout.shape_mode)
    page = PageRegions(position, width, height, image if options.visualize else None, found)
    figures = [] if found is None else paddlex_forms.gather_figures(image, found)
    for figure in figures:
        page.pictures[figure["path"]] = cv2.cvtColor(np.asarray(figure.pop("img")), cv2.COLOR_RGB2BGR)
        page.gathered_keys.append(figure["path"])
    whole_page = [
        {"cls_id": 0, "label": options.prompt_label, "score": 1, "coordinate": [0, 0, width, height]}
    ]
    for crop in _crop(image, whole_page if found is None else found, options):
        _add_region(page, crop, figures, options)
    return page


def _crop(
    image: "Picture", boxes: list[paddlex_forms.Box], options: ParseOptions
) -> list[paddlex_forms.Crop]:
    shape_mode = options.layout.shape_mode
    crops = paddlex_forms.crop_boxes(image, paddlex_forms.filter_overlaps(boxes, shape_mode), shape_mode)
    return (
        paddlex_forms.merge_adjacent(crops, options.unread_labels) if options.merge_layout_blocks else crops
    )


def _add_region(
    page: PageRegions, crop: paddlex_forms.Crop, figures: list[dict[str, Any]], options: ParseOptions
) -> None:
    label, picture, polygon = str(crop["label"]), crop["img"], crop.get("polygon_points")
    key: str | None = None
    tokens: Mapping[str, str] = {}
    height, width = 0, 0
    if picture is not None:
        height, width = picture.shape[:2]
        if label in options.pictured_labels:
            key = paddlex_forms.image_key(label, crop["box"])
            if polygon is not None and key in page.pictures and options.output_formats:
                page.outlined_pictures[key] = picture
            page.pictures.setdefault(key, picture)
        if label not in options.unread_labels:
            tokens = _ask_for(page, crop, figures, options)
    x1, y1, x2, y2 = crop["box"]
    page.regions.append(
        Region(label, (x1, y1, x2, y2), crop.get("group_id"), polygon, key, tokens, width, height)
    )


def _ask_for(
    page: PageRegions, crop: paddlex_forms.Crop, figures: list[dict[str, Any]], options: ParseOptions
) -> Mapping[str, str]:
    """Have the region that comes next recognised; returns its figures' tokens."""
    label, picture = str(crop["label"]), crop["img"]
    tokens: Mapping[str, str] = {}
    task = options.task_for(label)
    if task == "table":
        picture, tokens, swallowed = paddlex_forms.tokenize_figures(picture, crop["box"], figures)
        page.swallowed_keys.update(swallowed)
    elif task == "formula":
        picture = paddlex_forms.trim_margin(picture)
    elif task == "spotting":
        picture = paddlex_forms.enlarge_for_spotting(picture)
    limits = options.pixel_limits[task]
    page.requests.append(
        RegionRequest(
            len(page.regions),
            pad_to_limits(picture),
            PROMPTS[task],
            limits.min_pixels,
            limits.max_pixels,
            label,
            skip_special_tokens=task != "spotting",
        )
    )
    return tokens


def pad_to_limits(picture: "Picture") -> "Picture":
    """Widen a crop that is too small or too thin for the engines, evenly, in the colour of its border."""
    height, width = picture.shape[:2]
    shortest = max(MIN_SIDE_PIXELS, math.ceil(max(height, width) / MAX_ASPECT_RATIO))
    down, right = max(0, shortest - height), max(0, shortest - width)
    if not down and not right:
        return picture
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    colour = [float(channel) for channel in np.median(border, axis=0)]
    padded: Picture = cv2.copyMakeBorder(
        picture,
        down // 2,
        down - down // 2,
        right // 2,
        right - right // 2,
        cv2.BORDER_CONSTANT,
        value=colour,
    ).astype(np.uint8, copy=False)
    return padded


def _usable_boxes(
    boxes: Sequence[LayoutBox], width: int, height: int, shape_mode: str
) -> list[paddlex_forms.Box]:
    """Boxes in PaddleX's form, within the page. Those that are nowhere on it would break or wrap slices."""
    with_polygons = shape_mode != "rect" and any(box.polygon_points for box in boxes)
    usable = []
    for box in boxes:
        x1, y1, x2, y2 = box.coordinate
        if not all(map(math.isfinite, (x1, y1, x2, y2, box.score))):
            continue
        if x1 > x2 or y1 > y2 or x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            continue
        coordinate = [int(max(0, x1)), int(max(0, y1)), int(min(width, x2)), int(min(height, y2))]
        form: paddlex_forms.Box = {
            "cls_id": int(box.cls_id),
            "label": box.label,
            "score": float(box.score),
            "coordinate": coordinate,
            "order": box.order,
        }
        if with_polygons:
            form["polygon_points"] = _usable_polygon(box.polygon_points, coordinate)
        usable.append(form)
    return usable


def _usable_polygon(points: list[Any] | None, coordinate: list[int]) -> list[Any]:
    """The polygon, or the box's corners where it has none: PaddleX divides by its area."""
    if points is not None and len(points) > 2:
        outline = np.asarray(points, dtype=np.float32)
        if np.isfinite(outline).all() and cv2.contourArea(outline) > 0:
            return points
    x1, y1, x2, y2 = coordinate
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
