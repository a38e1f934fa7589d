"""Our service with its real recogniser, in front of a VLM server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from docparse.documents import RenderPool
from docparse.recognition import Recognizer
from docparse.scheduling import FairLimiter
from docparse.settings import Settings
from tests.docparse.vlm import client_for
from tests.fakes.vlm import FakeVlm, Step, running_vlm
from tests.parity.services import our_service


@asynccontextmanager
async def service_with_vlm(
    detect: Any, pool: RenderPool, *steps: Step, retries: int = 0, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, FakeVlm]]:
    """A client to the service, and the VLM server, which answers by `steps`."""
    chosen = Settings(**settings)
    async with running_vlm(*steps) as vlm, client_for(vlm, model=chosen.vlm_model, retries=retries) as client:
        recognizer = Recognizer(
            client,
            FairLimiter(16),
            pixel_limits=chosen.vlm_pixel_limits,
            repetition_guard=chosen.vlm_repetition_guard,
            max_output_tokens=chosen.vlm_max_output_tokens,
        )
        async with our_service(detect, recognizer, pool, **settings) as http:
            yield http, vlm
