from pathlib import Path

import pytest
from pydantic import ValidationError

from docparse.parse_defaults import ParseDefaults
from docparse.pipeline_config import read_pipeline_config
from docparse.preprocessing import PreprocessingSettings

ORIENTATION, UNWARPING = Path("models/PP-LCNet_x1_0_doc_ori"), Path("models/UVDoc")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in (*PreprocessingSettings.model_fields, "pipeline_config"):
        monkeypatch.delenv(f"HPS_{name.upper()}", raising=False)


@pytest.fixture
def mount(monkeypatch, tmp_path):
    def mount(text):
        (tmp_path / "pipeline.yaml").write_text(text)
        monkeypatch.setenv("HPS_PIPELINE_CONFIG", str(tmp_path / "pipeline.yaml"))

    return mount


def folders(settings):
    return settings.doc_orientation_model_dir, settings.doc_unwarping_model_dir


def test_nothing_is_loaded_unless_it_is_configured(mount):
    assert not PreprocessingSettings().is_loaded
    mount("pipeline_name: PaddleOCR-VL")
    assert not PreprocessingSettings().is_loaded
    mount(
        "{use_doc_preprocessor: False, SubPipelines: {DocPreprocessor: {SubModules: {DocUnwarping: {model_dir: /x}}}}}"
    )
    assert not PreprocessingSettings().is_loaded  # as in PaddleX


def test_a_folder_in_a_variable_loads_its_model_and_changes_no_request(monkeypatch):
    monkeypatch.setenv("HPS_DOC_ORIENTATION_MODEL_DIR", "/weights/ori")
    settings = PreprocessingSettings()
    assert folders(settings) == (Path("/weights/ori"), None)
    assert not settings.use_doc_preprocessor


def test_switched_on_it_has_both_models_in_their_usual_places(monkeypatch):
    monkeypatch.setenv("HPS_USE_DOC_PREPROCESSOR", "true")
    assert folders(PreprocessingSettings()) == (ORIENTATION, UNWARPING)
    monkeypatch.setenv("HPS_DOC_UNWARPING_MODEL_DIR", "/weights/uvdoc")
    assert folders(PreprocessingSettings()) == (None, Path("/weights/uvdoc"))


def test_the_file_switches_it_on_and_says_what_and_where(mount, monkeypatch):
    mount("use_doc_preprocessor: True")
    assert folders(PreprocessingSettings()) == (ORIENTATION, UNWARPING)
    mount(
        "use_doc_preprocessor: True\n"
        "SubPipelines: {DocPreprocessor: {batch_size: 3, use_doc_unwarping: False,\n"
        "  SubModules: {DocOrientationClassify: {model_dir: /file/ori}}}}"
    )
    settings = PreprocessingSettings()
    assert folders(settings) == (Path("/file/ori"), None)
    assert (settings.use_doc_preprocessor, settings.doc_preprocessing_batch_size) == (True, 3)
    monkeypatch.setenv("HPS_DOC_ORIENTATION_MODEL_DIR", "/mine")
    assert folders(PreprocessingSettings()) == (Path("/mine"), None)


def test_a_variable_switches_it_off_whatever_the_file_says(mount, monkeypatch):
    mount("use_doc_preprocessor: True")
    monkeypatch.setenv("HPS_USE_DOC_PREPROCESSOR", "false")
    assert not PreprocessingSettings().is_loaded


def test_switched_on_without_a_model_it_is_refused(mount):
    mount(
        "use_doc_preprocessor: True\n"
        "SubPipelines: {DocPreprocessor: {use_doc_orientation_classify: False, use_doc_unwarping: False}}"
    )
    with pytest.raises(ValidationError, match="HPS_DOC_ORIENTATION_MODEL_DIR"):
        PreprocessingSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HPS_USE_DOC_PREPROCESSOR", "perhaps"), ("HPS_DOC_PREPROCESSING_BATCH_SIZE", "0"),
        ("HPS_LAYOUT_DEVICE", "tpu"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        PreprocessingSettings()
    assert name.removeprefix("HPS_").lower() in str(refused.value).lower()


def test_requests_have_the_defaults_of_the_file(mount, tmp_path, monkeypatch):
    shipped = ParseDefaults.of(read_pipeline_config(None), PreprocessingSettings())
    assert shipped == ParseDefaults()
    mount(
        "{use_layout_detection: False, use_chart_recognition: True, use_seal_recognition: True,\n"
        " use_ocr_for_image_block: True, format_block_content: True, merge_layout_blocks: False,\n"
        " markdown_ignore_labels: [number], Serving: {visualize: False}}"
    )
    config = read_pipeline_config(tmp_path / "pipeline.yaml")
    monkeypatch.setenv("HPS_DOC_UNWARPING_MODEL_DIR", "/weights")
    defaults = ParseDefaults.of(config, PreprocessingSettings())
    flags = {name for name, value in defaults.flags.items() if value != shipped.flags[name]}
    assert flags == {
        "use_layout_detection", "use_chart_recognition", "use_seal_recognition", "use_ocr_for_image_block",
        "format_block_content", "merge_layout_blocks", "visualize",
    }  # fmt: skip
    assert defaults.markdown_ignore_labels == ("number",)
    assert (defaults.has_orientation, defaults.has_unwarping) == (False, True)
