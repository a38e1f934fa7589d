"""What the VLM is asked about a region, and how many pixels it may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from docparse.errors import InvalidOption
from docparse.option_values import read_count

Task = Literal["ocr", "table", "chart", "formula", "seal", "spotting"]

# Source: PaddleX's PaddleOCR-VL pipeline; the model was trained on these words.
PROMPTS: Mapping[Task, str] = {
    "ocr": "OCR:",
    "table": "Table Recognition:",
    "chart": "Chart Recognition:",
    "formula": "Formula Recognition:",
    "seal": "Seal Recognition:",
    "spotting": "Spotting:",
}

# 144 and 1,280 visual tokens of 28 x 28 px each: PaddleX's limits for every task but spotting.
DEFAULT_MIN_PIXELS = 112_896
DEFAULT_MAX_PIXELS = 1_003_520

# Spotting reads whole pages, so it may see 2,048 tokens. No option changes it, as in PaddleX.
SPOTTING_MAX_PIXELS = 1_605_632


@dataclass(frozen=True, slots=True)
class PixelLimits:
    """Fewest and most pixels of a picture as the model sees it; smaller and larger ones are scaled."""

    min_pixels: int
    max_pixels: int


def task_for(label: str, *, use_chart_recognition: bool, use_seal_recognition: bool) -> Task:
    """What to ask about a region of this label."""
    if label == "table":
        return "table"
    if label == "chart" and use_chart_recognition:
        return "chart"
    if "formula" in label and label != "formula_number":
        return "formula"
    if label == "spotting":
        return "spotting"
    if label == "seal" and use_seal_recognition:
        return "seal"
    return "ocr"


def read_pixel_limits(
    min_pixels: int | None, max_pixels: int | None, extra: dict[str, Any]
) -> Mapping[Task, PixelLimits]:
    """Limits of each task; takes `{task}_min_pixels` and `{task}_max_pixels` out of `extra`.

    A default gives way to a value that was asked for.

    Raises:
        InvalidOption: a limit is no whole number above 0, or a minimum is above its maximum.
    """
    if min_pixels is not None and max_pixels is not None and min_pixels > max_pixels:
        raise InvalidOption(f"`minPixels` ({min_pixels}) cannot be greater than `maxPixels` ({max_pixels}).")
    limits: dict[Task, PixelLimits] = {
        "spotting": PixelLimits(DEFAULT_MIN_PIXELS, SPOTTING_MAX_PIXELS),
    }
    for task in PROMPTS:
        if task != "spotting":
            limits[task] = _task_limits(task, min_pixels, max_pixels, extra)
    return limits


def _task_limits(
    task: Task, min_pixels: int | None, max_pixels: int | None, extra: dict[str, Any]
) -> PixelLimits:
    names = f"{task}_min_pixels", f"{task}_max_pixels"
    own = [read_count(f"vlm_extra_args.{name}", extra.pop(name, None)) for name in names]
    if own[0] is not None and own[1] is not None and own[0] > own[1]:
        raise InvalidOption(
            f"`vlmExtraArgs.{names[0]}` ({own[0]}) cannot be greater than "
            f"`vlmExtraArgs.{names[1]}` ({own[1]})."
        )
    lowest, highest = own[0] or min_pixels, own[1] or max_pixels
    if lowest is None:
        lowest = min(DEFAULT_MIN_PIXELS, highest or DEFAULT_MIN_PIXELS)
    if highest is None:
        highest = max(DEFAULT_MAX_PIXELS, lowest)
    if lowest > highest:  # one is the task's own, which goes before what holds for all tasks
        lowest, highest = (own[0], own[0]) if own[0] is not None else (highest, highest)
    return PixelLimits(lowest, highest)
