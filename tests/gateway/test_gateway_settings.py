import pickle
from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from gateway.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(__import__("os").environ):
        if name.startswith("HPS_") or name == "UVICORN_WORKERS":
            monkeypatch.delenv(name)


def test_defaults_are_those_people_know():
    settings = Settings()
    assert settings.port == 8080
    assert settings.workers == 4
    assert settings.max_concurrent_requests == 16
    assert settings.max_concurrent_non_inference_requests == 64
    assert settings.inference_timeout_seconds == 600
    assert settings.log_level == "INFO"


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("UVICORN_WORKERS", "2", "workers", 2),
        ("HPS_UVICORN_WORKERS", "3", "workers", 3),
        ("HPS_MAX_CONCURRENT_REQUESTS", "5", "max_concurrent_requests", 5),
        ("HPS_MAX_CONCURRENT_INFERENCE_REQUESTS", "6", "max_concurrent_requests", 6),
        ("HPS_MAX_CONCURRENT_NON_INFERENCE_REQUESTS", "7", "max_concurrent_non_inference_requests", 7),
        ("HPS_VLM_URL", "http://a:1/v1", "vlm_urls", ("http://a:1",)),
        ("HPS_VLM_URLS", "http://a:1/v1/, https://b/x/", "vlm_urls", ("http://a:1", "https://b/x")),
        ("HPS_TRITON_URL", "grpc://triton:8001", "triton_url", "triton:8001"),
        (
            "HPS_URL_ALLOWED_NETWORKS",
            "10.0.0.0/8, fd00::/8",
            "url_allowed_networks",
            (ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        ),
        (
            "HPS_CORS_ORIGINS",
            "https://a.b:1, http://[::1]",
            "cors_origins",
            ("https://a.b:1", "http://[::1]"),
        ),
        ("HPS_CORS_ORIGINS", "*", "cors_origins", ("*",)),
        ("HPS_LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("HPS_PORT", "", "port", 8080),
    ],
)
def test_the_environment_sets_fields(monkeypatch, name, text, field, value):
    monkeypatch.setenv(name, text)
    assert getattr(Settings(), field) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("HPS_PORT", "http", "HPS_PORT"),
        ("UVICORN_WORKERS", "0", "UVICORN_WORKERS"),
        ("HPS_TRITON_URL", "http://triton:8000", "host:port"),
        ("HPS_TRITON_URL", "triton", "host:port"),
        ("HPS_VLM_URLS", "vlm:8080", "http://"),
        ("HPS_VLM_URLS", ",", "at least one"),
        ("HPS_URL_ALLOWED_NETWORKS", "10.0.0.1/8", "host bits"),
        ("HPS_CORS_ORIGINS", "https://a.b/", "must be an origin"),
        ("HPS_CORS_ORIGINS", "a.b", "must be an origin"),
        ("HPS_LOG_FORMAT", "yaml", "HPS_LOG_FORMAT"),
        ("HPS_MAX_BODY_BYTES", "2048", "HPS_MAX_DOCUMENT_BYTES"),
        ("HPS_MAX_BODY_BYTES_IN_FLIGHT", "2048", "HPS_MAX_BODY_BYTES_IN_FLIGHT .* in vain"),
        ("HPS_BODY_TIMEOUT", "0", "HPS_BODY_TIMEOUT"),
        ("HPS_MAX_DOCUMENT_BYTES", "3000000000", "HPS_MAX_DOCUMENT_BYTES"),
        ("HPS_INFERENCE_TIMEOUT", "0", "HPS_INFERENCE_TIMEOUT"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch, name, text, words):
    monkeypatch.setenv(name, text)
    with pytest.raises(ValidationError, match=words):
        Settings()


def test_there_is_room_for_the_largest_body():
    assert Settings().room_bytes == 512 * 1024**2
    assert Settings(max_body_bytes=2**30).room_bytes == 2**30
    assert Settings(max_body_bytes_in_flight=2**30).room_bytes == 2**30


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"HPS_IMAGE_STORE_SECRET": "s" * 16}, "needs HPS_IMAGE_STORE_DIR"),
        ({"HPS_IMAGE_STORE_DIR": "/images"}, "needs HPS_IMAGE_STORE_SECRET"),
        ({"HPS_IMAGE_STORE_DIR": "/images", "HPS_IMAGE_STORE_SECRET": "short"}, "HPS_IMAGE_STORE_SECRET"),
    ],
)
def test_a_local_image_store_needs_its_folder_and_a_secret(monkeypatch, variables, words):
    for name, text in {"HPS_IMAGE_STORE": "local", **variables}.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(ValidationError, match=words) as refusal:
        Settings()
    assert "short" not in str(refusal.value).replace("too_short", "")


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings().port = 1
    assert pickle.loads(pickle.dumps(Settings())) == Settings()


def test_every_setting_is_described_and_has_a_name_in_the_environment():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.validation_alias, name
