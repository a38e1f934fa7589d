import os
import sys

import pytest
from pydantic import ValidationError

from docparse.image_store import ImageStoreSettings, StoreFailed, open_image_store

LOCAL = {"HPS_IMAGE_STORE": "local", "HPS_IMAGE_STORE_DIR": "/x", "HPS_IMAGE_STORE_SECRET": "s" * 16}
S3 = {"HPS_IMAGE_STORE": "s3", "HPS_IMAGE_STORE_S3_BUCKET": "b"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith("HPS_")]:
        monkeypatch.delenv(name)


def settings_of(monkeypatch, variables: dict[str, str]) -> ImageStoreSettings:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    return ImageStoreSettings()


def test_without_settings_answers_carry_their_pictures():
    assert open_image_store(ImageStoreSettings()) is None


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"HPS_IMAGE_STORE": "minio"}, "image_store"),
        ({**LOCAL, "HPS_IMAGE_STORE_DIR": ""}, "local needs HPS_IMAGE_STORE_DIR"),
        ({**LOCAL, "HPS_IMAGE_STORE_SECRET": ""}, "local needs HPS_IMAGE_STORE_SECRET"),
        ({**LOCAL, "HPS_IMAGE_STORE_SECRET": "too little"}, "image_store_secret"),
        ({**LOCAL, "HPS_IMAGE_STORE_BASE_URL": "ocr.example.com"}, "http://"),
        ({**LOCAL, "HPS_IMAGE_URL_SECONDS": "59"}, "image_url_seconds"),
        ({**LOCAL, "HPS_IMAGE_URL_SECONDS": "604801"}, "image_url_seconds"),
        ({"HPS_IMAGE_STORE": "s3"}, "s3 needs HPS_IMAGE_STORE_S3_BUCKET"),
        ({**S3, "HPS_IMAGE_STORE_S3_ENDPOINT": "minio:9000"}, "http://"),
        ({**S3, "HPS_IMAGE_STORE_S3_ACCESS_KEY_ID": "id"}, "HPS_IMAGE_STORE_S3_SECRET_ACCESS_KEY"),
        ({**S3, "HPS_IMAGE_STORE_S3_SECRET_ACCESS_KEY": "hidden"}, "HPS_IMAGE_STORE_S3_ACCESS_KEY_ID"),
        ({**S3, "HPS_IMAGE_STORE_S3_URL_STYLE": "virtual-host"}, "HPS_IMAGE_STORE_S3_ENDPOINT"),
    ],
)
def test_settings_that_do_not_go_together_are_named_and_secrets_are_not_shown(monkeypatch, variables, words):
    with pytest.raises(ValidationError, match=words) as refusal:
        settings_of(monkeypatch, variables)
    assert "too little" not in str(refusal.value)
    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://localhost:8080"),
        ({"HPS_PORT": "9000"}, "http://localhost:9000"),
        ({"HPS_PORT": "9000", "HPS_IMAGE_STORE_BASE_URL": "https://x/ocr/"}, "https://x/ocr"),
    ],
)
def test_links_lead_to_the_gateway_unless_told_otherwise(monkeypatch, variables, url):
    assert settings_of(monkeypatch, {**LOCAL, **variables}).base_url == url


def test_a_secret_is_not_shown_by_the_settings(monkeypatch):
    secrets = {"HPS_IMAGE_STORE_S3_ACCESS_KEY_ID": "id", "HPS_IMAGE_STORE_S3_SECRET_ACCESS_KEY": "hidden"}
    settings = settings_of(monkeypatch, {**LOCAL, **secrets})
    assert "hidden" not in repr(settings)
    assert "s" * 16 not in repr(settings)


def test_every_setting_is_described():
    assert all(field.description for field in ImageStoreSettings.model_fields.values())


def test_s3_without_its_client_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "docparse.image_store.s3", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StoreFailed, match=r"needs the package obstore: install .*image-store-s3\.txt"):
        open_image_store(settings_of(monkeypatch, S3))
