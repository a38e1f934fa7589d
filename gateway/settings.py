"""The gateway's settings, read once from the environment and passed by constructor."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, WithJsonSchema, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.api_keys import ApiKey, check_distinct, parse_entries, read_file

MIB = 1024 * 1024
# One gRPC message holds the whole document; its size is a signed 32-bit number. 16 MiB are left for the rest.
LARGEST_DOCUMENT_BYTES = 2**31 - 16 * MIB

Network = IPv4Network | IPv6Network
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9._~\[\]:-]+")
# As people write them; what is kept of them is only a digest.
_API_KEYS_SCHEMA = WithJsonSchema({"type": "string"})


class Settings(BaseSettings):
    """Every knob of the gateway. Names in the environment are the aliases; empty values mean the default."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
        validate_default=True,
        hide_input_in_errors=True,  # a setting may be a secret
    )

    # A server in a container listens on all of its addresses.
    host: str = Field("0.0.0.0", validation_alias="HPS_HOST", description="Address to listen on.")  # noqa: S104
    port: int = Field(8080, ge=0, le=65535, validation_alias="HPS_PORT", description="Port to listen on.")
    workers: int = Field(
        4,
        ge=1,
        le=256,
        validation_alias=AliasChoices("UVICORN_WORKERS", "HPS_UVICORN_WORKERS"),
        description="Processes that serve HTTP. The limits below hold for all of them together.",
    )
    triton_url: str = Field(
        "localhost:8001", validation_alias="HPS_TRITON_URL", description="Triton's gRPC address, host:port."
    )
    triton_silence_seconds: float = Field(
        15,
        gt=0,
        validation_alias="HPS_TRITON_SILENCE_SECONDS",
        description="Seconds without a sign of life of a document in Triton, which gives one every 2, after which it "
        "is answered 503.",
    )
    vlm_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://localhost:8081",),
        validation_alias=AliasChoices("HPS_VLM_URLS", "HPS_VLM_URL"),
        description="Base URLs of the VLM servers, comma-separated, with or without /v1; probed only.",
    )
    max_concurrent_requests: int = Field(
        16,
        ge=1,
        le=4096,
        validation_alias=AliasChoices("HPS_MAX_CONCURRENT_REQUESTS", "HPS_MAX_CONCURRENT_INFERENCE_REQUESTS"),
        description="Documents in Triton at one time, for the whole gateway, however many workers it has.",
    )
    max_pages_in_flight: int = Field(
        2000,
        ge=1,
        le=1_000_000,
        validation_alias="HPS_MAX_PAGES_IN_FLIGHT",
        description="Pages of PDF and TIFF documents in Triton at one time, for the whole gateway; while there are as "
        "many, the next such document waits. One document counts for half of it at most.",
    )
    max_concurrent_non_inference_requests: int = Field(
        64,
        ge=1,
        le=4096,
        validation_alias="HPS_MAX_CONCURRENT_NON_INFERENCE_REQUESTS",
        description="Requests to restructure pages in Triton at one time, apart from the documents.",
    )
    max_queued_requests: int = Field(
        64,
        ge=0,
        le=65536,
        validation_alias="HPS_MAX_QUEUED_REQUESTS",
        description="Documents that may wait for a place in Triton; one more is answered 429. As many requests "
        "to restructure pages may wait for theirs.",
    )
    admission_file: Path | None = Field(
        None,
        validation_alias="HPS_ADMISSION_FILE",
        description="File whose byte locks count running and waiting documents over all workers. "
        "Made and removed by `python -m gateway`; set it when something else starts the workers.",
    )
    inference_timeout_seconds: float = Field(
        600,
        gt=0,
        le=86400,
        validation_alias="HPS_INFERENCE_TIMEOUT",
        description="Seconds for one document: URL download, waiting and inference together.",
    )
    health_check_timeout_seconds: float = Field(
        5,
        gt=0,
        le=60,
        validation_alias="HPS_HEALTH_CHECK_TIMEOUT",
        description="Seconds for all readiness probes.",
    )
    max_body_bytes: int = Field(
        150 * MIB, ge=1024, validation_alias="HPS_MAX_BODY_BYTES", description="Largest request body."
    )
    max_body_bytes_in_flight: int | None = Field(
        None,
        ge=1024,
        validation_alias="HPS_MAX_BODY_BYTES_IN_FLIGHT",
        description="Bytes of bodies and documents that each worker holds at one time, from their arrival until "
        "Triton has them; the next one waits for HPS_BODY_TIMEOUT, then it is answered 429. Up to 1 MiB have an "
        "eighth of it beside. Memory is about twice that. Default: 512 MiB, or HPS_MAX_BODY_BYTES if that is more.",
    )
    body_timeout_seconds: float = Field(
        30,
        gt=0,
        le=3600,
        validation_alias="HPS_BODY_TIMEOUT",
        description="Seconds between two reads of a request's body, after which it is answered 408. A body whose "
        "reads make less than 4 KiB a second on the whole has that long in all.",
    )
    max_backlog_bytes: int = Field(
        2048 * MIB,
        ge=0,
        validation_alias="HPS_MAX_BACKLOG_BYTES",
        description="Bytes of answers that each worker keeps on disk, in the system's folder for temporary files: "
        "what long documents have beyond 8 MiB, and what clients read slowly. Streamed lines that do not fit end "
        "with an error; answers that are not streamed stay in memory.",
    )
    max_document_bytes: int = Field(
        100 * MIB,
        ge=1024,
        le=LARGEST_DOCUMENT_BYTES,
        validation_alias="HPS_MAX_DOCUMENT_BYTES",
        description="Largest document, decoded or downloaded.",
    )
    url_timeout_seconds: float = Field(
        30, gt=0, validation_alias="HPS_URL_TIMEOUT", description="Seconds to fetch a document from a URL."
    )
    url_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        validation_alias="HPS_URL_ALLOWED_NETWORKS",
        description="Networks (CIDR, comma-separated) that `file` URLs may reach though they are not public.",
    )
    api_keys: Annotated[tuple[ApiKey, ...], NoDecode, _API_KEYS_SCHEMA] = Field(
        (),
        validation_alias="HPS_API_KEYS",
        description="Keys of clients as name:key, comma-separated; names go to the log. Without any key the "
        "service is open and the header Authorization is ignored.",
    )
    api_keys_of_file: Annotated[tuple[ApiKey, ...], NoDecode, _API_KEYS_SCHEMA] = Field(
        (),
        validation_alias="HPS_API_KEYS_FILE",
        description="File with further keys, one name:key a line, # for comments; read at the start.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="HPS_CORS_ORIGINS",
        description="Origins of web pages that may call the service from a browser, comma-separated, for example "
        "`https://app.example.com`; `*` for all. Without any, browsers let none.",
    )
    image_store: Literal["inline", "local", "s3"] = Field(
        "inline",
        validation_alias="HPS_IMAGE_STORE",
        description="How answers carry pictures; with `local` the gateway serves them under /images/.",
    )
    image_store_dir: Path | None = Field(
        None,
        validation_alias="HPS_IMAGE_STORE_DIR",
        description="`local`: folder that Triton's model puts pictures into; here only read.",
    )
    image_store_secret: SecretStr | None = Field(
        None,
        min_length=16,
        validation_alias="HPS_IMAGE_STORE_SECRET",
        description="`local`: what links are signed with, the same as in Triton.",
    )
    shutdown_grace_seconds: float = Field(
        10,
        ge=0,
        le=3600,
        validation_alias="HPS_SHUTDOWN_GRACE_SECONDS",
        description="Seconds that documents in flight get after SIGTERM.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", validation_alias="HPS_LOG_LEVEL", description="Least severe log level that is written."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        validation_alias="HPS_LOG_FORMAT",
        description="Log lines for people (text) or machines (json).",
    )

    @field_validator("vlm_urls", mode="before")
    @classmethod
    def _split_vlm_urls(cls, value: object) -> object:
        urls = _split_commas(value)
        if not isinstance(urls, tuple):
            return urls
        cleaned = tuple(str(url).rstrip("/").removesuffix("/v1") for url in urls)
        if not cleaned:
            raise ValueError("name at least one VLM server")
        for url in cleaned:
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{url!r} must start with http:// or https://")
        return cleaned

    @field_validator("url_allowed_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        networks = _split_commas(value)
        if not isinstance(networks, tuple):
            return networks
        return tuple(ip_network(network) for network in networks)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        origins = _split_commas(value)
        for origin in origins if isinstance(origins, tuple) else ():
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} must be an origin as browsers send it: scheme://host or scheme://host:port"
                )
        return origins

    @field_validator("api_keys", mode="before")
    @classmethod
    def _parse_api_keys(cls, value: object) -> object:
        return parse_entries(value) if isinstance(value, str) else value

    @field_validator("api_keys_of_file", mode="before")
    @classmethod
    def _read_api_keys(cls, value: object) -> object:
        return read_file(Path(value)) if isinstance(value, (str, Path)) else value

    @field_validator("triton_url", mode="before")
    @classmethod
    def _check_triton_url(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        address = value.removeprefix("grpc://")
        if "://" in address or not address.rpartition(":")[2].isdigit():
            raise ValueError(
                f"{value!r} must be host:port of Triton's gRPC endpoint, for example localhost:8001"
            )
        return address

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_log_level(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def room_bytes(self) -> int:
        """Bytes of requests that a worker holds at one time."""
        return self.max_body_bytes_in_flight or max(512 * MIB, self.max_body_bytes)

    @property
    def all_api_keys(self) -> tuple[ApiKey, ...]:
        """Keys of the environment and of the file; empty when the service is open."""
        return self.api_keys + self.api_keys_of_file

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        try:
            check_distinct(self.all_api_keys)
        except ValueError as error:
            raise ValueError(f"HPS_API_KEYS and HPS_API_KEYS_FILE: {error}") from None
        for name in ("image_store_dir", "image_store_secret"):
            if self.image_store == "local" and getattr(self, name) is None:
                raise ValueError(f"HPS_IMAGE_STORE=local needs HPS_{name.upper()}")
        if self.max_document_bytes > self.max_body_bytes:
            raise ValueError(
                f"HPS_MAX_DOCUMENT_BYTES ({self.max_document_bytes}) cannot exceed "
                f"HPS_MAX_BODY_BYTES ({self.max_body_bytes}): such a document could never be sent"
            )
        if self.room_bytes < self.max_body_bytes:
            raise ValueError(
                f"HPS_MAX_BODY_BYTES_IN_FLIGHT ({self.room_bytes}) cannot be less than "
                f"HPS_MAX_BODY_BYTES ({self.max_body_bytes}): such a body would wait in vain"
            )
        return self


def _split_commas(value: object) -> object:
    """Comma-separated text to a tuple of its parts; lists to tuples; anything else unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value
