"""Clients to VLM servers on loopback, less patient than in service."""

from typing import Any

from docparse.vlm_call import VlmPolicy
from docparse.vlm_client import VlmClient
from docparse.vlm_dialects import DIALECTS, Dialect
from tests.fakes.vlm import FakeVlm


def client_for(
    *vlms: FakeVlm | str,
    retries: int = 2,
    timeout_seconds: float = 30,
    model: str = "m",
    key: str | None = None,
    silence_seconds: float = 10,
    dialect: Dialect = DIALECTS["vllm"],
    **policy: Any,
) -> VlmClient:
    urls = [vlm if isinstance(vlm, str) else vlm.url for vlm in vlms]
    settings = {"circuit_seconds": 0.05, **policy}
    return VlmClient(
        urls,
        model,
        VlmPolicy(timeout_seconds=timeout_seconds, retries=retries, **settings),
        api_key=key,
        dialect=dialect,
        silence_seconds=silence_seconds,
    )
