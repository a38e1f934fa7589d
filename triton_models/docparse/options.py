"""The parse options of one request: every one that exists, resolved and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docparse.errors import InvalidOption
from docparse.labels import IMAGE_LABELS, PROMPT_LABELS
from docparse.layout.detector import LayoutOptions
from docparse.option_values import (
    is_number,
    read_bool,
    read_choice,
    read_count,
    read_number,
    read_object,
    read_per_class,
    read_strings,
    refuse,
)
from docparse.parse_defaults import SHIPPED_DEFAULTS, ParseDefaults
from docparse.preprocessing import PreprocessingOptions
from docparse.prompts import PixelLimits, Task, read_pixel_limits, task_for

SHAPE_MODES = ("rect", "quad", "poly", "auto")
MERGE_MODES = ("large", "small", "union")
OUTPUT_FORMATS = ("docx",)

# What the pipeline itself says to the VLM server: left out of `vlmExtraArgs`, as PaddleX's client does.
_OUR_OWN_ARGS = (
    "model", "messages", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens",
    "skip_special_tokens", "mm_processor_kwargs",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOptions:
    """What a request asks for, nulls replaced by defaults; made by `from_wire`.

    Attributes:
        preprocessing: what is done to a page before its layout is found; None for nothing.
        use_chart_recognition, use_seal_recognition: also true when layout detection is off and
            `prompt_label` says so.
        pixel_limits: by task, from `minPixels`, `maxPixels` and `vlmExtraArgs`.
        sampling: parameters of the VLM call under OpenAI's (and vLLM's) names; `max_completion_tokens` is among
            them only when the client set it.
        page_ranges: as the client wrote it; checked against the document's pages when it is open.
    """

    preprocessing: PreprocessingOptions | None
    use_layout_detection: bool
    use_chart_recognition: bool
    use_seal_recognition: bool
    use_ocr_for_image_block: bool
    layout: LayoutOptions
    prompt_label: str
    format_block_content: bool
    merge_layout_blocks: bool
    markdown_ignore_labels: tuple[str, ...]
    pixel_limits: Mapping[Task, PixelLimits]
    sampling: Mapping[str, Any]
    prettify_markdown: bool
    show_formula_number: bool
    return_markdown_images: bool
    restructure_pages: bool
    merge_tables: bool
    relevel_titles: bool
    output_formats: tuple[str, ...]
    visualize: bool
    page_ranges: str | None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], defaults: ParseDefaults = SHIPPED_DEFAULTS) -> "ParseOptions":
        """Read the `parse` object of the wire: snake_case names, null or missing means the default.

        Raises:
            InvalidOption: a value is wrong, or asks for a model that is not loaded.
        """
        preprocessing = _read_preprocessing(wire, defaults)
        flags = {name: read_bool(name, wire.get(name), default) for name, default in defaults.flags.items()}
        prompt_label = read_choice("prompt_label", wire.get("prompt_label") or "ocr", PROMPT_LABELS)
        if not flags["use_layout_detection"]:
            flags["use_chart_recognition"] |= prompt_label == "chart"
            flags["use_seal_recognition"] |= prompt_label == "seal"
        pixel_limits, sampling = _read_vlm(wire)
        page_ranges = wire.get("page_ranges")
        if page_ranges is not None and not isinstance(page_ranges, str):
            raise refuse("page_ranges", "a string such as '1-3,7'", page_ranges)
        return cls(
            **flags,
            preprocessing=preprocessing,
            layout=_read_layout(wire),
            prompt_label=prompt_label,
            markdown_ignore_labels=read_strings(
                "markdown_ignore_labels", wire.get("markdown_ignore_labels"), defaults.markdown_ignore_labels
            ),
            pixel_limits=pixel_limits,
            sampling=sampling,
            output_formats=_read_output_formats(wire.get("output_formats")),
            page_ranges=page_ranges,
        )

    @property
    def unread_labels(self) -> tuple[str, ...]:
        """Labels whose regions are kept as pictures and not recognised."""
        pictures = () if self.use_ocr_for_image_block else IMAGE_LABELS
        charts = () if self.use_chart_recognition else ("chart",)
        seals = () if self.use_seal_recognition else ("seal",)
        return (*pictures, *charts, *seals)

    @property
    def pictured_labels(self) -> tuple[str, ...]:
        """Labels whose regions appear as pictures in the Markdown; some of them are recognised too."""
        return (*IMAGE_LABELS, "seal", *(() if self.use_chart_recognition else ("chart",)))

    @property
    def draws_readings(self) -> bool:
        """Whether what is read will be drawn on the page, which must be kept until then."""
        return self.visualize and not self.use_layout_detection and self.prompt_label == "spotting"

    def task_for(self, label: str) -> Task:
        """What the VLM is asked about a region of this label."""
        return task_for(
            label,
            use_chart_recognition=self.use_chart_recognition,
            use_seal_recognition=self.use_seal_recognition,
        )


def _read_preprocessing(wire: Mapping[str, Any], defaults: ParseDefaults) -> PreprocessingOptions | None:
    asked = {
        name: None if wire.get(name) is None else read_bool(name, wire[name], default=False)
        for name in ("use_doc_orientation_classify", "use_doc_unwarping")
    }
    return defaults.preprocessing(
        orientation=asked["use_doc_orientation_classify"], unwarping=asked["use_doc_unwarping"]
    )


def _read_layout(wire: Mapping[str, Any]) -> LayoutOptions:
    nms = wire.get("layout_nms")
    shape_mode = wire.get("layout_shape_mode")
    return LayoutOptions(
        threshold=read_per_class("layout_threshold", wire.get("layout_threshold"), _read_threshold),
        nms=None if nms is None else read_bool("layout_nms", nms, default=False),
        unclip_ratio=read_per_class("layout_unclip_ratio", wire.get("layout_unclip_ratio"), _read_ratio),
        merge_bboxes_mode=read_per_class(
            "layout_merge_bboxes_mode", wire.get("layout_merge_bboxes_mode"), _read_merge_mode
        ),
        shape_mode=read_choice(
            "layout_shape_mode", "auto" if shape_mode is None else shape_mode, SHAPE_MODES
        ),
    )


def _read_threshold(name: str, value: object) -> float:
    if not is_number(value) or not 0 <= value <= 1:
        raise refuse(name, "a number from 0 to 1", value)
    return float(value)


def _read_ratio(name: str, value: object) -> tuple[float, float]:
    ratios: list[object] = list(value) if isinstance(value, list | tuple) else [value, value]
    numbers = [float(ratio) for ratio in ratios if is_number(ratio) and ratio > 0]
    if len(ratios) != 2 or len(numbers) != 2:
        raise refuse(name, "a number above 0, or two of them: [width, height]", value)
    return numbers[0], numbers[1]


def _read_merge_mode(name: str, value: object) -> str:
    return read_choice(name, value, MERGE_MODES)


def _read_vlm(wire: Mapping[str, Any]) -> tuple[Mapping[Task, PixelLimits], dict[str, Any]]:
    extra = read_object("vlm_extra_args", wire.get("vlm_extra_args"))
    for name in _OUR_OWN_ARGS:
        extra.pop(name, None)
    _check_pixels(wire.get("min_pixels"), wire.get("max_pixels"))

    def asked(name: str) -> tuple[str, Any]:
        """Where the value of a name is, and the value."""
        return (f"vlm_extra_args.{name}", extra.pop(name)) if name in extra else (name, wire.get(name))

    temperature = read_number(*asked("temperature"), "a number from 0 up", lambda v: v >= 0)
    optional = {
        "max_completion_tokens": read_count(*asked("max_new_tokens")),
        "top_p": read_number(*asked("top_p"), "a number above 0 and at most 1", lambda v: 0 < v <= 1),
        "repetition_penalty": read_number(*asked("repetition_penalty"), "a number above 0", lambda v: v > 0),
    }
    limits = read_pixel_limits(read_count(*asked("min_pixels")), read_count(*asked("max_pixels")), extra)
    sampling: dict[str, Any] = {
        **extra,
        "temperature": 0.0 if temperature is None else temperature,  # reading is not creative writing
        **{name: value for name, value in optional.items() if value is not None},
    }
    return limits, sampling


def _check_pixels(min_pixels: object, max_pixels: object) -> None:
    lowest, highest = read_count("min_pixels", min_pixels), read_count("max_pixels", max_pixels)
    if lowest is not None and highest is not None and lowest > highest:
        raise InvalidOption(f"`minPixels` ({lowest}) cannot be greater than `maxPixels` ({highest}).")


def _read_output_formats(value: object) -> tuple[str, ...]:
    formats = read_strings("output_formats", value, ())
    for name in formats:
        if name not in OUTPUT_FORMATS:
            raise refuse("output_formats", f"a list of: {', '.join(OUTPUT_FORMATS)}", name)
    return tuple(dict.fromkeys(formats))
