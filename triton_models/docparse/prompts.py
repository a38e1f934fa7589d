"""What the VLM is asked about a region, and how many pixels it may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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

# 16,384 visual tokens, all that the model's context holds (`longest_context` in `vlm_server/models.toml`): no engine
# takes a larger picture, and no request makes one, whatever it asks for.
MOST_PIXELS = 16_384 * 28 * 28

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

    What was asked for one task goes before what was asked for all, and that before a default; the two limits are not
    weighed against each other, as in PaddleX. Where they cross, a picture above the most is made smaller and one below
    both is made larger (see `crops.fit_sides`).

    Raises:
        InvalidOption: a task's limit is no whole number above 0.
    """
    limits: dict[Task, PixelLimits] = {
        "spotting": PixelLimits(DEFAULT_MIN_PIXELS, SPOTTING_MAX_PIXELS),
    }
    for task in PROMPTS:
        if task != "spotting":
            own_min, own_max = (
                read_count(f"vlm_extra_args.{name}", extra.pop(name, None))
                for name in (f"{task}_min_pixels", f"{task}_max_pixels")
            )
            limits[task] = PixelLimits(
                min(own_min or min_pixels or DEFAULT_MIN_PIXELS, MOST_PIXELS),
                min(own_max or max_pixels or DEFAULT_MAX_PIXELS, MOST_PIXELS),
            )
    return limits
