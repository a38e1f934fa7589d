"""Whether a document sent now could be parsed: Triton, its models and a VLM, probed under one clock."""

import asyncio
import logging
import time
from collections.abc import Sequence

from gateway.upstreams.triton import Triton
from gateway.upstreams.vlm import VlmProbe

logger = logging.getLogger(__name__)

# Needed whatever Triton was told to load. What else it was told to load, it needs for some documents.
MODELS = ("layout-parsing", "layout-detection", "restructure-pages")
# Several probes (a load balancer, an orchestrator, a person) share one answer.
CACHE_SECONDS = 0.5


class Readiness:
    """Answers what is missing."""

    def __init__(self, *, triton: Triton, vlms: Sequence[VlmProbe], timeout_seconds: float) -> None:
        self._triton = triton
        self._vlms = tuple(vlms)
        self._timeout_seconds = timeout_seconds
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._missing: list[str] = []

    async def missing(self) -> list[str]:
        """What keeps documents from being parsed, as phrases; empty when ready."""
        async with self._lock:
            if time.monotonic() - self._checked_at > CACHE_SECONDS:
                missing = await self._check()
                if missing != self._missing:  # probes themselves are not logged; what they find is
                    logger.info("not ready: %s" if missing else "ready%s", "; ".join(missing))
                self._missing = missing
                self._checked_at = time.monotonic()
            return self._missing

    async def _check(self) -> list[str]:
        missing, vlms = await asyncio.gather(
            self._check_triton(),
            asyncio.gather(*(vlm.is_healthy(self._timeout_seconds) for vlm in self._vlms)),
        )
        dead = [vlm.url for vlm, healthy in zip(self._vlms, vlms, strict=True) if not healthy]
        # Recognition goes to whichever server answers, so one is enough.
        if len(dead) == len(self._vlms):
            missing.append(f"no VLM server healthy ({', '.join(dead)})")
        return missing

    async def _check_triton(self) -> list[str]:
        deadline = time.monotonic() + self._timeout_seconds
        live, told, models = await asyncio.gather(
            self._triton.is_live(self._timeout_seconds),
            self._triton.list_models(self._timeout_seconds),
            self._are_ready(MODELS, self._timeout_seconds),
        )
        if not live:
            return ["Triton not live"]
        more = sorted(set(told) - set(MODELS))
        if more:
            models |= await self._are_ready(more, max(0.0, deadline - time.monotonic()))
        return [f"model '{model}' not ready" for model, ready in models.items() if not ready]

    async def _are_ready(self, models: Sequence[str], timeout_seconds: float) -> dict[str, bool]:
        answers = (self._triton.is_model_ready(model, timeout_seconds) for model in models)
        return dict(zip(models, await asyncio.gather(*answers), strict=True))
