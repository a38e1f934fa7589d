import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from docparse.errors import InvalidOption
from docparse.layout.detector import per_class
from docparse.options import ParseOptions
from docparse.prompts import PixelLimits

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"

# Every option of the wire. One that nothing reads is a defect.
WIRE = {
    "use_doc_orientation_classify", "use_doc_unwarping", "use_layout_detection", "use_chart_recognition",
    "use_seal_recognition", "use_ocr_for_image_block", "layout_threshold", "layout_nms",
    "layout_unclip_ratio", "layout_merge_bboxes_mode", "layout_shape_mode", "prompt_label",
    "format_block_content",
    "repetition_penalty", "temperature", "top_p", "min_pixels", "max_pixels", "max_new_tokens",
    "merge_layout_blocks", "markdown_ignore_labels", "vlm_extra_args", "prettify_markdown",
    "show_formula_number", "return_markdown_images", "restructure_pages", "merge_tables", "relevel_titles",
    "output_formats", "visualize", "page_ranges",
}  # fmt: skip


def read(**wire):
    return ParseOptions.from_wire(wire)


def test_nulls_are_the_defaults_of_paddleocr_vl():
    options = ParseOptions.from_wire(dict.fromkeys(WIRE))
    assert options == ParseOptions.from_wire({})
    assert options.use_layout_detection
    assert options.merge_layout_blocks
    assert not options.use_chart_recognition
    assert options.layout.shape_mode == "auto"
    assert options.markdown_ignore_labels == (
        "number", "footnote", "header", "header_image", "footer", "footer_image", "aside_text",
    )  # fmt: skip
    assert options.pixel_limits["ocr"] == PixelLimits(112_896, 1_003_520)
    assert options.pixel_limits["spotting"] == PixelLimits(112_896, 1_605_632)
    assert options.sampling == {"temperature": 0.0}
    assert options.visualize


def test_options_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        read().visualize = False


@pytest.mark.parametrize("name", sorted(WIRE))
def test_a_wrong_value_is_an_error_that_names_the_public_field(name):
    first, *rest = name.split("_")
    public = first + "".join(part.capitalize() for part in rest)
    with pytest.raises(InvalidOption, match=f"`{public}"):
        ParseOptions.from_wire({name: {"no such class": object()} if name != "vlm_extra_args" else 3})


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        ({"use_doc_unwarping": True}, "`useDocUnwarping` cannot be true: .* not loaded"),
        ({"use_doc_orientation_classify": True}, "`useDocOrientationClassify` cannot be true: .* not loaded"),
        ({"layout_threshold": 1.5}, "`layoutThreshold` must be a number from 0 to 1; got: 1.5"),
        ({"layout_threshold": True}, "`layoutThreshold`"),
        ({"layout_threshold": float("nan")}, "`layoutThreshold`"),
        ({"layout_threshold": {"text": 2}}, "`layoutThreshold.text`"),
        ({"layout_threshold": {"25": 0.5}}, "`layoutThreshold` has the unknown layout class '25'"),
        ({"layout_threshold": {"paragraph": 0.5}}, "unknown layout class 'paragraph'"),
        ({"layout_threshold": {"\u00b2": 0.5}}, "unknown layout class"),
        ({"layout_unclip_ratio": 0}, "`layoutUnclipRatio` must be a number above 0"),
        ({"layout_unclip_ratio": [1, 2, 3]}, "`layoutUnclipRatio`"),
        ({"layout_unclip_ratio": {"7": [1, -1]}}, "`layoutUnclipRatio.7`"),
        ({"layout_merge_bboxes_mode": "huge"}, "`layoutMergeBboxesMode` must be one of: large, small, union"),
        ({"layout_shape_mode": "round"}, "`layoutShapeMode` must be one of: rect, quad, poly, auto"),
        (
            {"prompt_label": "text"},
            "`promptLabel` must be one of: ocr, formula, table, chart, seal, spotting",
        ),
        ({"temperature": -1}, "`temperature`"),
        ({"top_p": 0}, "`topP`"),
        ({"repetition_penalty": 0}, "`repetitionPenalty`"),
        ({"min_pixels": 0}, "`minPixels`"),
        ({"max_new_tokens": 1.5}, "`maxNewTokens`"),
        ({"min_pixels": 2, "max_pixels": 1}, r"`minPixels` \(2\) cannot be greater than `maxPixels` \(1\)"),
        ({"vlm_extra_args": {"table_max_pixels": "9"}}, "`vlmExtraArgs.table_max_pixels`"),
        ({"vlm_extra_args": {"ocr_min_pixels": 0}}, "`vlmExtraArgs.ocr_min_pixels`"),
        ({"vlm_extra_args": {"temperature": "high"}}, "`vlmExtraArgs.temperature`"),
        ({"vlm_extra_args": {"max_new_tokens": 1.5}}, "`vlmExtraArgs.max_new_tokens`"),
        ({"output_formats": ["pdf"]}, "`outputFormats` must be a list of: docx"),
    ],
)
def test_what_cannot_be_served_is_refused_in_words(wire, message):
    with pytest.raises(InvalidOption, match=message):
        ParseOptions.from_wire(wire)


def test_values_per_class_are_taken_by_id_and_by_label():
    layout = read(
        layout_threshold={"22": 0.3, "table": 0.7},
        layout_unclip_ratio={"image": [1.1, 1.2], 6: 1.5},
        layout_merge_bboxes_mode={"21": "small"},
    ).layout
    assert layout.threshold == {"text": 0.3, "table": 0.7}
    assert layout.unclip_ratio == {"image": (1.1, 1.2), "doc_title": (1.5, 1.5)}
    assert per_class(layout.merge_bboxes_mode, "table") == "small"


def test_one_unclip_ratio_is_for_both_sides():
    assert read(layout_unclip_ratio=2).layout.unclip_ratio == (2.0, 2.0)
    assert read(layout_unclip_ratio=[1, 2]).layout.unclip_ratio == (1.0, 2.0)


@pytest.mark.parametrize("label", ["chart", "seal"])
def test_without_layout_detection_the_prompt_label_switches_its_recognition_on(label):
    flag = f"use_{label}_recognition"
    assert getattr(read(use_layout_detection=False, prompt_label=label), flag)
    assert not getattr(read(prompt_label=label), flag)


def test_sampling_has_the_names_of_the_vlm_call():
    options = read(
        temperature=0.5, top_p=0.9, repetition_penalty=1.1, max_new_tokens=100,
        vlm_extra_args={"seed": 3, "temperature": 0.7, "ocr_min_pixels": 1000},
    )  # fmt: skip
    assert options.sampling == {
        "seed": 3, "temperature": 0.7, "top_p": 0.9, "repetition_penalty": 1.1, "max_completion_tokens": 100,
    }  # fmt: skip
    assert options.pixel_limits["ocr"] == PixelLimits(1000, 1_003_520)
    assert options.pixel_limits["table"] == PixelLimits(112_896, 1_003_520)


def test_a_limit_of_one_task_goes_before_that_of_all_and_leaves_the_other_limit_alone():
    options = read(max_pixels=200_000, vlm_extra_args={"table_min_pixels": 300_000, "ocr_max_pixels": 1e5})
    assert options.pixel_limits["table"] == PixelLimits(300_000, 200_000)
    assert options.pixel_limits["ocr"] == PixelLimits(112_896, 100_000)
    assert options.pixel_limits["seal"] == PixelLimits(112_896, 200_000)


@pytest.mark.parametrize("where", ["", "ocr_"])
def test_no_limit_is_above_what_any_engine_takes(where):
    options = read(vlm_extra_args={f"{where}min_pixels": 1e300, f"{where}max_pixels": 10**12})
    assert options.pixel_limits["ocr"] == PixelLimits(12_845_056, 12_845_056)


@pytest.mark.parametrize("name", ["messages", "model", "stream", "n", "max_tokens", "mm_processor_kwargs"])
def test_what_the_pipeline_itself_says_to_the_vlm_is_left_out_of_further_arguments(name):
    assert read(vlm_extra_args={name: [], "seed": 3}).sampling == {"seed": 3, "temperature": 0.0}


def _golden_options():
    for path in sorted(GOLDEN.glob("*option*.json")):
        yield pytest.param(path, id=path.name)


@pytest.mark.parametrize("path", list(_golden_options()))
def test_options_as_the_gateway_writes_them_are_read_and_all_known(path):
    parse = json.loads(path.read_text())["parse"]
    ParseOptions.from_wire(parse)
    assert set(parse) <= WIRE
