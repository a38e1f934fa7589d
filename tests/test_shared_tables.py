"""What two tiers must both know, and neither may import from the other."""

import pytest

import docparse.layout.labels
import docparse.protocol
import gateway.models.labels
from docparse.options import ParseOptions
from docparse.recognition import DEFAULT_MAX_NEW_TOKENS
from gateway.models.documents import Kind
from gateway.models.requests import LayoutParsingOptions


def test_both_tiers_know_the_same_classes_in_the_same_order():
    assert tuple(gateway.models.labels.LABELS) == tuple(docparse.layout.labels.LABELS)


def test_both_tiers_know_the_same_kinds_of_documents():
    assert {kind.value for kind in Kind} == set(docparse.protocol.KINDS)


DEFAULTS = ParseOptions.from_wire({})
SWITCHES = (
    "use_layout_detection", "use_chart_recognition", "use_seal_recognition", "use_ocr_for_image_block",
    "format_block_content", "merge_layout_blocks",
)  # fmt: skip
TOLD = {
    "min_pixels": DEFAULTS.pixel_limits["ocr"].min_pixels,
    "max_pixels": DEFAULTS.pixel_limits["ocr"].max_pixels,
    "max_new_tokens": DEFAULT_MAX_NEW_TOKENS,
    "temperature": f"{DEFAULTS.sampling['temperature']:g}",
    "prompt_label": DEFAULTS.prompt_label,
    "visualize": str(DEFAULTS.visualize).lower(),
    "markdown_ignore_labels": ", ".join(DEFAULTS.markdown_ignore_labels),
    **{name: "on" if getattr(DEFAULTS, name) else "off" for name in SWITCHES},
}


@pytest.mark.parametrize("name", TOLD)
def test_the_api_page_tells_the_defaults_that_the_pipeline_has(name):
    assert f"Default: {TOLD[name]}." in LayoutParsingOptions.model_fields[name].description
