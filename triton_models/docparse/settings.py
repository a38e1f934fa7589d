"""Everything of the pipeline that an operator can set, read once from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from docparse.pipeline_config import ConfiguredSettings, PipelineConfig
from docparse.vlm_dialects import DIALECTS, Backend


class Settings(ConfiguredSettings):
    """Built once by each Triton model in `initialize` and passed on by constructor."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="Lowest level that is logged."
    )
    layout_parsing_instances: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes of `layout-parsing`. One serves many documents on one event loop; more help where "
        "its CPU work is what documents wait for.",
    )
    vlm_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://localhost:8081",),
        validation_alias=AliasChoices("HPS_VLM_URLS", "HPS_VLM_URL"),
        description="Base URLs of the VLM servers, comma-separated, with or without `/v1`.",
    )
    vlm_backend: Backend = Field(
        "vllm",
        description="What the VLM servers are, all of them: requests differ a little. `embedded` is our CPU engine.",
    )
    vlm_model: str = Field("PaddleOCR-VL-0.9B", description="Model name sent to the VLM server.")
    vlm_api_key: SecretStr | None = Field(None, description="Key that the VLM servers ask for.")
    vlm_max_concurrency: int = Field(
        128, ge=1, description="VLM calls in flight per VLM server, over all documents."
    )
    vlm_timeout: float = Field(
        120.0, gt=0, description="Seconds one VLM call may take before it is retried elsewhere."
    )
    vlm_retries: int = Field(
        2,
        ge=0,
        description="Further attempts after a transport fault or a 5xx answer; never after a 4xx. A server that is "
        "too busy (429) is asked again when it says, which is no attempt.",
    )
    vlm_circuit_failures: int = Field(
        5,
        ge=1,
        description="Faults of a VLM server in a row after which it is not called for a while; one that refuses "
        "connections is not called at once.",
    )
    vlm_circuit_seconds: float = Field(
        1.0, gt=0, description="How long it is not called the first time; doubled each time, up to 30 s."
    )
    vlm_quarantine_strikes: int = Field(
        2,
        ge=2,
        description="VLM servers that a region may bring down before it is not sent any more; after the first it is "
        "sent alone among suspects.",
    )
    vlm_quarantine_seconds: float = Field(
        600.0, gt=0, description="How long a region that brought VLM servers down is remembered."
    )
    vlm_pixel_limits: Literal["resize", "send", "off"] = Field(
        "resize",
        description="How a crop meets the model's pixel limits: resized here, sent as `mm_processor_kwargs` "
        "(vLLM needs `--trust-request-mm-kwargs`), or not at all.",
    )
    vlm_repetition_guard: Literal["stream", "engine", "off"] = Field(
        "stream",
        description="How a text that repeats itself without end is stopped: `stream` watches the answer as it "
        "comes and hangs up, `engine` leaves it to vLLM 0.17 or newer (`repetition_detection`), `off` waits for "
        "the token limit.",
    )
    vlm_max_output_tokens: int = Field(
        8192,  # twice PaddleX's 4,096; with up to 1,280 visual tokens it is well within the model's 16,384
        ge=1,
        description="Tokens of the second attempt at a region whose text was cut at 4,096; at most that many are "
        "asked for at all. Requests with `maxNewTokens` have that one limit and one attempt.",
    )
    max_pages: int = Field(0, ge=0, description="Most pages of one request; 0 means no limit.")
    max_pixels: int = Field(
        178_956_970,  # twice Pillow's decompression-bomb warning, the limit that PaddleX uses too
        gt=0,
        description="Most pixels of one page; larger images are refused, PDF pages are rendered smaller.",
    )
    render_scale: float = Field(2.0, gt=0, le=8, description="PDF pixels per point; 2.0 is 144 dpi.")
    render_workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=1,
        description="Processes that decode images and render PDF pages. Default: as many as CPUs, at most 4.",
    )
    render_timeout: float = Field(
        60.0, gt=0, description="Seconds one page may take to render before its worker is replaced."
    )
    page_threads: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=1,
        description="Threads that cut, encode and write pages. Default: as many as CPUs, at most 4.",
    )
    layout_max_concurrency: int = Field(
        16,  # two batches: one runs, the next one fills
        ge=1,
        description="Pages in layout detection at a time, over all documents. Enough to fill its batches; each more "
        "only stands before a page that is in a hurry.",
    )
    layout_patience: float = Field(
        20.0,
        ge=0,
        description="Seconds that a page waits for layout detection, or preprocessing, that does not answer: a model "
        "whose process has died is back after some seconds. Then its document ends with 503.",
    )
    max_pages_in_preparation: int = Field(
        default_factory=lambda: min(16, 4 * (os.cpu_count() or 1)),
        ge=1,
        description="Pages that are being rendered, laid out and cut at a time, over all documents. They hold their "
        "pixels, some 12 MB each, which bounds the pipeline's memory. Default: four for each CPU, at most 16.",
    )
    max_pages_in_work: int = Field(
        64,
        ge=1,
        description="Pages begun and not yet sent, over all documents; those behind preparation hold their encoded "
        "regions only. Each document may have one in work in any case.",
    )
    max_large_pixels_in_flight: int = Field(
        200_000_000,
        ge=1,
        description="Pixels in preparation over all documents, counting pages of more than 6 million only; "
        "a page takes about 24 bytes per pixel on its way, so this bounds what huge images can take.",
    )
    spool_dir: Path | None = Field(
        None, description="Folder for documents being parsed. Default: the system's temporary folder."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _accept_lower_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("vlm_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, tuple):
            return tuple(url.rstrip("/").removesuffix("/v1") for url in value)
        return value

    @classmethod
    def from_file(cls, config: PipelineConfig, known: Mapping[str, Any], *, is_named: bool) -> dict[str, Any]:  # noqa: ARG003  the interface's
        """See `ConfiguredSettings`."""
        genai = config.genai
        return {
            "vlm_urls": genai.server_url,
            "vlm_model": config.sub_modules.vl_recognition.model_name,
            "vlm_api_key": genai.client_kwargs.api_key,
            "vlm_max_concurrency": genai.max_concurrency,
            "vlm_timeout": genai.client_kwargs.timeout,
            "vlm_retries": genai.client_kwargs.max_retries,
            "max_pages": config.serving.extra.max_num_input_imgs,
        }

    @model_validator(mode="after")
    def _ask_only_what_is_understood(self) -> "Settings":
        dialect = DIALECTS[self.vlm_backend]
        asked = {
            "HPS_VLM_PIXEL_LIMITS=send": self.vlm_pixel_limits == "send" and not dialect.takes_pixel_limits,
            "HPS_VLM_REPETITION_GUARD=engine": self.vlm_repetition_guard == "engine"
            and not dialect.notices_loops,
        }
        for setting, ignored in asked.items():
            if ignored:
                raise ValueError(f"HPS_VLM_BACKEND={self.vlm_backend} ignores what {setting} would send")
        return self

    @model_validator(mode="after")
    def _require_vlm(self) -> "Settings":
        if not self.vlm_urls:
            raise ValueError("HPS_VLM_URLS names no VLM server")
        # Either would be the one `Authorization` header.
        if self.vlm_api_key is not None and any("@" in url.partition("://")[2] for url in self.vlm_urls):
            raise ValueError(
                "HPS_VLM_URLS names a user, and HPS_VLM_API_KEY is set too: only one of them can be sent"
            )
        return self
