"""What an operator can say of the image store, read once from the environment."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# S3 signs no URL for longer.
LONGEST_URL_SECONDS = 7 * 24 * 3600
# A signature is only as hard to forge as its secret.
SHORTEST_SECRET = 16


class ImageStoreSettings(BaseSettings):
    """Built once by each model that makes or follows links."""

    model_config = SettingsConfigDict(
        env_prefix="HPS_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # some are secret
    )

    image_store: Literal["inline", "local", "s3"] = Field(
        "inline",
        description="How answers carry pictures: `inline` as base64, `local` as signed URLs that the gateway "
        "serves, `s3` as URLs of an S3-compatible store.",
    )
    image_url_seconds: int = Field(
        3600, ge=60, le=LONGEST_URL_SECONDS, description="Seconds that URLs of pictures are good for."
    )
    image_store_dir: Path | None = Field(
        None, description="`local`: folder for pictures, the same one for Triton and the gateway."
    )
    image_store_secret: SecretStr | None = Field(
        None,
        min_length=SHORTEST_SECRET,
        description="`local`: what URLs are signed with, the same for Triton and the gateway.",
    )
    image_store_base_url: str | None = Field(
        None,
        description="`local`: the gateway's address as clients see it. Default: http://localhost:HPS_PORT.",
    )
    port: int = Field(
        8080, ge=0, le=65535, description="The gateway's port, for the default of that address."
    )
    image_store_s3_bucket: str | None = Field(None, description="`s3`: bucket.")
    image_store_s3_prefix: str = Field("", description="`s3`: what names in the bucket begin with.")
    image_store_s3_endpoint: str | None = Field(
        None, description="`s3`: URL of the store. Default: Amazon's of the region."
    )
    image_store_s3_client_endpoint: str | None = Field(
        None, description="`s3`: URL of the store as clients reach it. Default: the endpoint."
    )
    image_store_s3_region: str = Field("us-east-1", description="`s3`: region.")
    image_store_s3_url_style: Literal["path", "virtual-host"] = Field(
        "path", description="`s3`: whether the bucket stands in the path or in the host name of URLs."
    )
    image_store_s3_access_key_id: str | None = Field(
        None, description="`s3`: key id. Default: what Amazon's SDKs would find (AWS_* variables, roles)."
    )
    image_store_s3_secret_access_key: SecretStr | None = Field(None, description="`s3`: the key.")
    image_store_s3_public_url: str | None = Field(
        None,
        description="`s3`: base URL under which the bucket is public, for example of a CDN; URLs are then not "
        "signed and do not expire. Default: presigned URLs.",
    )

    @field_validator(
        "image_store_base_url",
        "image_store_s3_endpoint",
        "image_store_s3_client_endpoint",
        "image_store_s3_public_url",
    )
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return None if url is None else url.rstrip("/")

    @field_validator("image_store_s3_prefix")
    @classmethod
    def _end_prefix(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        return f"{prefix}/" if prefix else ""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        needed = {
            "inline": [],
            "local": ["image_store_dir", "image_store_secret"],
            "s3": ["image_store_s3_bucket"],
        }[self.image_store]
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"HPS_IMAGE_STORE={self.image_store} needs HPS_{name.upper()}")
        if (self.image_store_s3_access_key_id is None) != (self.image_store_s3_secret_access_key is None):
            raise ValueError(
                "HPS_IMAGE_STORE_S3_ACCESS_KEY_ID and HPS_IMAGE_STORE_S3_SECRET_ACCESS_KEY go together: set both "
                "or neither"
            )
        if self.image_store_s3_url_style == "virtual-host" and self.image_store_s3_endpoint is None:
            raise ValueError("HPS_IMAGE_STORE_S3_URL_STYLE=virtual-host needs HPS_IMAGE_STORE_S3_ENDPOINT")
        return self

    @property
    def base_url(self) -> str:
        """The gateway's address as clients see it."""
        return self.image_store_base_url or f"http://localhost:{self.port}"
