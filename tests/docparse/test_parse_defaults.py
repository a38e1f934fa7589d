"""What a request does not say, and which of PaddleX's preprocessing models it may ask for."""

from itertools import product

import pytest

from docparse.errors import InvalidOption
from docparse.options import ParseOptions
from docparse.parse_defaults import ParseDefaults
from docparse.preprocessing import PreprocessingOptions
from tests.docparse.paddlex_oracle import stub_pipeline

FLAGS = (
    "use_layout_detection", "use_chart_recognition", "use_seal_recognition", "use_ocr_for_image_block",
    "format_block_content", "merge_layout_blocks", "visualize",
)  # fmt: skip


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_a_request_does_not_say_is_the_default(name, default):
    defaults = ParseDefaults(**{name: default})
    for wire in ({}, {name: None}):
        assert getattr(ParseOptions.from_wire(wire, defaults), name) is default
    assert getattr(ParseOptions.from_wire({name: not default}, defaults), name) is not default


def test_labels_that_a_request_does_not_say_are_the_default():
    defaults = ParseDefaults(markdown_ignore_labels=("header",))
    assert ParseOptions.from_wire({}, defaults).markdown_ignore_labels == ("header",)
    assert ParseOptions.from_wire({"markdown_ignore_labels": []}, defaults).markdown_ignore_labels == ()


SAID = (None, True, False)


@pytest.mark.parametrize(("orientation", "unwarping"), list(product(SAID, SAID)))
@pytest.mark.parametrize("loaded", [(True, True), (True, False), (False, True)])
def test_pages_are_preprocessed_as_paddlex_decides_it(orientation, unwarping, loaded):
    has_orientation, has_unwarping = loaded
    defaults = ParseDefaults(
        use_doc_preprocessor=True, has_orientation=has_orientation, has_unwarping=has_unwarping
    )
    wire = {"use_doc_orientation_classify": orientation, "use_doc_unwarping": unwarping}
    if (orientation and not has_orientation) or (unwarping and not has_unwarping):
        with pytest.raises(InvalidOption, match="not loaded"):
            ParseOptions.from_wire(wire, defaults)
        return
    asked = ParseOptions.from_wire(wire, defaults).preprocessing
    pipeline = stub_pipeline(None, None)
    pipeline.use_doc_preprocessor = True  # in PaddleX it is loaded exactly when it is the default
    settings = pipeline.get_model_settings(orientation, unwarping, *[None] * 6)
    assert (asked is not None) == settings["use_doc_preprocessor"]
    if asked is not None:
        assert asked == PreprocessingOptions(
            has_orientation if orientation is None else orientation,
            has_unwarping if unwarping is None else unwarping,
        )


def test_models_that_are_loaded_and_not_the_default_wait_to_be_asked_for():
    defaults = ParseDefaults(has_orientation=True, has_unwarping=True)
    assert ParseOptions.from_wire({}, defaults).preprocessing is None
    asked = ParseOptions.from_wire({"use_doc_unwarping": True}, defaults).preprocessing
    assert asked == PreprocessingOptions(orientation=True, unwarping=True)
    wire = {"use_doc_unwarping": True, "use_doc_orientation_classify": False}
    assert ParseOptions.from_wire(wire, defaults).preprocessing == PreprocessingOptions(
        orientation=False, unwarping=True
    )


@pytest.mark.parametrize("name", ["use_doc_orientation_classify", "use_doc_unwarping"])
def test_a_model_that_is_not_loaded_may_be_declined(name):
    assert ParseOptions.from_wire({name: False}).preprocessing is None
