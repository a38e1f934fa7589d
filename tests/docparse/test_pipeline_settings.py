import pytest
from pydantic import SecretStr, ValidationError

from docparse.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HPS_{name.upper()}", raising=False)
    for name in ("HPS_VLM_URL", "HPS_PIPELINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["HPS_VLM_URLS", "HPS_VLM_URL"])
@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ("http://vlm:8080", ("http://vlm:8080",)),
        ("http://vlm:8080/v1", ("http://vlm:8080",)),
        ("http://vlm:8080/v1/", ("http://vlm:8080",)),
        (" http://a/v1 , https://b/deep/path/ ,", ("http://a", "https://b/deep/path")),
    ],
)
def test_vlm_servers_are_read_with_or_without_v1_under_both_names(monkeypatch, name, value, urls):
    monkeypatch.setenv(name, value)
    assert Settings().vlm_urls == urls


def test_the_newer_name_goes_before_the_older(monkeypatch):
    monkeypatch.setenv("HPS_VLM_URLS", "http://new")
    monkeypatch.setenv("HPS_VLM_URL", "http://old")
    assert Settings().vlm_urls == ("http://new",)


def test_a_variable_that_is_empty_is_one_that_is_not_set(monkeypatch):
    for name in ("HPS_VLM_URLS", "HPS_SPOOL_DIR", "HPS_MAX_PAGES", "HPS_VLM_MODEL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HPS_VLM_URL", "http://vlm")
    settings = Settings()
    assert (settings.vlm_urls, settings.spool_dir, settings.max_pages) == (("http://vlm",), None, 0)
    assert settings.vlm_model == "PaddleOCR-VL-0.9B"


def test_every_setting_is_read_from_its_variable_and_described(monkeypatch):
    values = {
        "log_level": "DEBUG", "layout_parsing_instances": 2, "vlm_urls": "http://vlm", "vlm_backend": "vllm",
        "vlm_model": "other", "vlm_api_key": "key", "vlm_max_concurrency": 7, "vlm_timeout": 1.5, "vlm_retries": 0,
        "vlm_circuit_failures": 3, "vlm_circuit_seconds": 0.5, "vlm_quarantine_strikes": 4,
        "vlm_quarantine_seconds": 9.0,
        "vlm_pixel_limits": "send", "vlm_repetition_guard": "engine", "vlm_max_output_tokens": 99,
        "max_pages": 9, "max_pixels": 1000, "render_scale": 1.5,
        "render_workers": 3, "render_timeout": 2.5, "page_threads": 2,
        "layout_max_concurrency": 4, "layout_patience": 1.0,
        "max_pages_in_preparation": 2, "max_pages_in_work": 3,
        "max_large_pixels_in_flight": 5,
        "spool_dir": "/spool",
    }  # fmt: skip
    assert set(values) == set(Settings.model_fields)
    for name, value in values.items():
        monkeypatch.setenv(f"HPS_{name.upper()}", str(value))
    settings = Settings()
    for name, value in values.items():
        read = getattr(settings, name)
        read = read.get_secret_value() if isinstance(read, SecretStr) else read
        assert (read if isinstance(read, int | float) else str(read)) == (
            value if name != "vlm_urls" else "('http://vlm',)"
        )
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HPS_LAYOUT_PARSING_INSTANCES", "0"),
        ("HPS_VLM_URLS", " , "),
        ("HPS_VLM_MAX_CONCURRENCY", "0"),
        ("HPS_VLM_TIMEOUT", "0"),
        ("HPS_VLM_RETRIES", "-1"),
        ("HPS_VLM_CIRCUIT_SECONDS", "0"),
        ("HPS_VLM_QUARANTINE_STRIKES", "1"),
        ("HPS_VLM_PIXEL_LIMITS", "guess"),
        ("HPS_VLM_REPETITION_GUARD", "hope"),
        ("HPS_VLM_MAX_OUTPUT_TOKENS", "0"),
        ("HPS_RENDER_SCALE", "9"),
        ("HPS_RENDER_WORKERS", "many"),
        ("HPS_MAX_PAGES_IN_WORK", "0"),
        ("HPS_MAX_PIXELS", "0"),
        ("HPS_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert name.removeprefix("HPS_").lower() in str(refused.value).lower()


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_pages = 3


@pytest.mark.parametrize("backend", ["fastdeploy", "sglang"])
@pytest.mark.parametrize(
    ("name", "value"), [("HPS_VLM_PIXEL_LIMITS", "send"), ("HPS_VLM_REPETITION_GUARD", "engine")]
)
def test_what_an_engine_would_ignore_without_a_word_is_not_asked_of_it(monkeypatch, backend, name, value):
    monkeypatch.setenv(name, value)
    assert Settings().vlm_backend == "vllm"
    monkeypatch.setenv("HPS_VLM_BACKEND", backend)
    with pytest.raises(ValidationError, match=f"{backend} ignores what {name}={value} would send"):
        Settings()


def test_a_user_in_the_url_and_a_key_exclude_each_other(monkeypatch):
    monkeypatch.setenv("HPS_VLM_URLS", "http://well,http://me:secret@vlm")
    Settings()
    monkeypatch.setenv("HPS_VLM_API_KEY", "key")
    with pytest.raises(ValidationError, match="only one of them can be sent"):
        Settings()
