"""The regions of a page, recognised: a bounded, fair fan-out to the VLM servers."""

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from docparse.crops import encode_crop, resize_to_limits
from docparse.errors import RegionFailure
from docparse.fairness import FairLimiter
from docparse.regions import RegionRequest
from docparse.vlm_client import VlmClient

PixelLimits = Literal["resize", "send", "off"]


@dataclass(frozen=True, slots=True)
class Recognition:
    """How one region was read.

    Attributes:
        text: the model's output, untouched; empty when `failure` is set.
        finish_reason: `stop`, `length`, or `error`.
        retries: attempts after the first.
        failure: why there is no text, in words fit for a client.
    """

    text: str
    finish_reason: str
    retries: int = 0
    failure: str | None = None


class Recognizer:
    """Sends regions to the VLM; one per process, shared by all documents."""

    def __init__(self, client: VlmClient, limiter: FairLimiter, pixel_limits: PixelLimits) -> None:
        self._client = client
        self._limiter = limiter
        self._pixel_limits = pixel_limits

    async def recognise(
        self, requests: Sequence[RegionRequest], sampling: Mapping[str, Any], owner: Hashable
    ) -> dict[int, Recognition]:
        """Recognise every region of a page; `owner` is the document whose turn it takes.

        Returns:
            A recognition for each request, by its index. A region that fails is a recognition too.

        Raises:
            VlmUnavailable: no VLM server can be reached; the page's other calls are cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    request.index: group.create_task(self._recognise_one(request, sampling, owner))
                    for request in requests
                }
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return {index: task.result() for index, task in tasks.items()}

    async def _recognise_one(
        self, request: RegionRequest, sampling: Mapping[str, Any], owner: Hashable
    ) -> Recognition:
        async with self._limiter.slot(owner):
            image = await asyncio.to_thread(self._encode, request)
            parameters = {**sampling, **self._parameters(request)}
            try:
                completion = await self._client.complete(image, request.prompt, parameters)
            except RegionFailure as failure:
                return Recognition("", "error", failure=str(failure))
        return Recognition(completion.text, completion.finish_reason, completion.retries)

    def _encode(self, request: RegionRequest) -> bytes:
        image = request.image
        if self._pixel_limits == "resize":
            image = resize_to_limits(image, request.min_pixels, request.max_pixels)
        return encode_crop(image)

    def _parameters(self, request: RegionRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {"skip_special_tokens": request.skip_special_tokens}
        if self._pixel_limits == "send":
            parameters["mm_processor_kwargs"] = {
                "min_pixels": request.min_pixels,
                "max_pixels": request.max_pixels,
            }
        return parameters
