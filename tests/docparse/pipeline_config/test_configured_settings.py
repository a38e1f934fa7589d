"""Settings that the file may set, too: variables go before it, and it before what is shipped."""

import pytest
from pydantic import ValidationError

from docparse.layout.engines import load_detector
from docparse.layout.settings import LayoutSettings
from docparse.pipeline_config import PipelineConfigError
from docparse.settings import Settings
from tests.docparse.pipeline_config.test_pipeline_file import VLLM
from tests.networks.layout import write_layout_model


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in (*Settings.model_fields, *LayoutSettings.model_fields, "vlm_url", "pipeline_config"):
        monkeypatch.delenv(f"HPS_{name.upper()}", raising=False)


@pytest.fixture
def mount(monkeypatch, tmp_path):
    def mount(text):
        (tmp_path / "pipeline.yaml").write_text(text)
        monkeypatch.setenv("HPS_PIPELINE_CONFIG", str(tmp_path / "pipeline.yaml"))

    return mount


def test_the_file_says_where_the_vlm_is_and_how_much_it_takes(mount):
    mount(VLLM.replace("api_key: secret", "{api_key: secret, timeout: 7, max_retries: 5}")
          .replace("client_kwargs:\n", "client_kwargs:"))  # fmt: skip
    settings = Settings()
    assert settings.vlm_urls == ("http://paddleocr-genai-vllm-server:8080",)
    assert settings.vlm_max_concurrency == 64
    assert settings.vlm_api_key.get_secret_value() == "secret"
    assert (settings.vlm_timeout, settings.vlm_retries) == (7, 5)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("name", ["HPS_VLM_URLS", "HPS_VLM_URL"])
def test_a_variable_goes_before_the_file(mount, monkeypatch, name):
    mount(VLLM)
    monkeypatch.setenv(name, "http://mine")
    monkeypatch.setenv("HPS_VLM_MAX_CONCURRENCY", "3")
    settings = Settings()
    assert (settings.vlm_urls, settings.vlm_max_concurrency) == (("http://mine",), 3)
    assert settings.vlm_api_key is not None


def test_a_variable_that_is_empty_leaves_the_file_its_say(mount, monkeypatch):
    mount(VLLM)
    monkeypatch.setenv("HPS_VLM_URLS", "")
    assert Settings().vlm_urls == ("http://paddleocr-genai-vllm-server:8080",)


def test_without_a_file_the_settings_have_their_defaults(monkeypatch):
    settings = Settings()
    assert (settings.vlm_urls, settings.vlm_model) == (("http://localhost:8081",), "PaddleOCR-VL-0.9B")
    assert (settings.vlm_max_concurrency, settings.max_pages) == (128, 0)


def test_the_file_names_the_vlm_and_limits_pages(mount):
    mount("{pipeline_name: PaddleOCR-VL-1.5, Serving: {extra: {max_num_input_imgs: 9}}}")
    assert (Settings().vlm_model, Settings().max_pages) == ("PaddleOCR-VL-1.5-0.9B", 9)


def test_a_native_backend_names_no_server(mount):
    mount("SubModules: {VLRecognition: {genai_config: {backend: native}}}")
    assert Settings().vlm_urls == ("http://localhost:8081",)


def test_a_file_that_is_wrong_is_no_settings(mount):
    mount("use_layout_detection: 7")
    for kind in (Settings, LayoutSettings):
        with pytest.raises(PipelineConfigError, match="use_layout_detection"):
            kind()


def test_every_setting_of_layout_is_read_from_its_variable(monkeypatch):
    values = {
        "layout_engine": "paddlex", "layout_model": "PP-DocLayoutV3", "layout_model_dir": "/models/v3",
        "layout_device": "gpu:1", "layout_paddlex_engine": "transformers", "layout_threads": 3,
        "layout_batch_size": 5,
    }  # fmt: skip
    assert set(values) == set(LayoutSettings.model_fields)
    for name, value in values.items():
        monkeypatch.setenv(f"HPS_{name.upper()}", str(value))
    settings = LayoutSettings()
    for name, value in values.items():
        assert str(getattr(settings, name)) == str(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HPS_LAYOUT_ENGINE", "crystal-ball"), ("HPS_LAYOUT_MODEL", "PP-DocLayoutV1"),
        ("HPS_LAYOUT_DEVICE", "gpu:x"), ("HPS_LAYOUT_DEVICE", "cuda"), ("HPS_LAYOUT_PADDLEX_ENGINE", "guess"),
        ("HPS_LAYOUT_THREADS", "0"), ("HPS_LAYOUT_BATCH_SIZE", "0"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        LayoutSettings()
    assert name.removeprefix("HPS_").lower() in str(refused.value).lower()


def test_a_file_means_the_engine_that_it_is_for(mount, monkeypatch):
    assert LayoutSettings().layout_engine == "cdla"
    mount(VLLM)
    settings = LayoutSettings()
    assert (settings.layout_engine, settings.layout_batch_size) == ("paddlex", 4)
    assert str(settings.model_dir) == "models/PP-DocLayoutV2"
    monkeypatch.setenv("HPS_LAYOUT_ENGINE", "cdla")
    assert LayoutSettings().layout_engine == "cdla"


def test_the_folder_of_a_model_has_its_name(mount, monkeypatch):
    mount("pipeline_name: PaddleOCR-VL-1.5")
    assert str(LayoutSettings().model_dir) == "models/PP-DocLayoutV3"
    monkeypatch.setenv("HPS_LAYOUT_MODEL", "PP-DocLayoutV2")
    assert str(LayoutSettings().model_dir) == "models/PP-DocLayoutV2"
    monkeypatch.setenv("HPS_LAYOUT_MODEL_DIR", "/weights")
    assert str(LayoutSettings().model_dir) == "/weights"


def test_the_cpu_engine_has_two_threads_and_the_network_all(monkeypatch):
    assert LayoutSettings().threads == 2
    monkeypatch.setenv("HPS_LAYOUT_ENGINE", "paddlex")
    assert LayoutSettings().threads >= 1
    monkeypatch.setenv("HPS_LAYOUT_THREADS", "7")
    assert LayoutSettings().threads == 7


def test_the_engine_that_is_loaded_has_the_values_of_the_file(mount, tmp_path):
    folder = write_layout_model(tmp_path / "PP-DocLayoutV2")
    mount(
        f"""
SubModules:
  LayoutDetection:
    model_dir: {folder}
    threshold: {{text: 0.9}}
    layout_nms: False
    layout_unclip_ratio: {{22: 1.5}}
    layout_merge_bboxes_mode: small
    engine_config: {{intra_op_num_threads: 1}}
"""
    )
    detector = load_detector(LayoutSettings())
    defaults = detector._defaults
    assert (defaults.nms, defaults.merge_bboxes_mode) == (False, "small")
    assert defaults.threshold["text"] == 0.9
    assert defaults.threshold["table"] == 0.5
    assert defaults.unclip_ratio["text"] == (1.5, 1.5)
    assert defaults.unclip_ratio["table"] == (1.0, 1.0)
    session = detector._model._predictor.runner.session
    assert session.get_session_options().intra_op_num_threads == 1
