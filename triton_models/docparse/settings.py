"""Everything of the pipeline that an operator can set, read once from the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from docparse.vlm_dialects import DIALECTS, Backend


class Settings(BaseSettings):
    """Built once by each Triton model in `initialize` and passed on by constructor."""

    model_config = SettingsConfigDict(
        env_prefix="HPS_", frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="Lowest level that is logged."
    )
    layout_engine: Literal["cdla"] = Field(
        "cdla", description="Layout detector: `cdla` runs on a CPU, its weights are in its wheel."
    )
    layout_threads: int = Field(
        2, ge=1, description="Threads of one layout inference; the CPU engine gains little above 2."
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
    vlm_max_concurrency: int = Field(
        128, ge=1, description="VLM calls in flight per VLM server, over all documents."
    )
    vlm_timeout: float = Field(
        120.0, gt=0, description="Seconds one VLM call may take before it is retried elsewhere."
    )
    vlm_retries: int = Field(
        2, ge=0, description="Further attempts after a transport fault or a 5xx answer; never after a 4xx."
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
    pages_ahead: int = Field(
        4, ge=1, description="Pages of one document that are in work at a time; bounds its memory."
    )
    max_pages_in_flight: int = Field(
        16, ge=1, description="Pages in work over all documents; bounds the pipeline's memory."
    )
    max_large_pixels_in_flight: int = Field(
        200_000_000,
        ge=1,
        description="Pixels in work over all documents, counting pages of more than 6 million only; "
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
        return self
