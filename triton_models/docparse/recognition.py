"""The regions of a page, recognised: a bounded, fair fan-out to the VLM servers."""

import asyncio
import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from docparse.crops import encode_crop, resize_to_limits
from docparse.errors import RegionFailure
from docparse.fairness import FairLimiter
from docparse.regions import RegionRequest
from docparse.repetition import cut_loop, rules_for
from docparse.vlm_client import VlmClient

PixelLimits = Literal["resize", "send", "off"]
RepetitionGuard = Literal["stream", "engine", "off"]

# Enough for nearly every region, and what a model gone astray costs at most; PaddleX's default.
DEFAULT_MAX_NEW_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Recognition:
    """How one region was read.

    Attributes:
        text: the model's output, untouched but for a loop at its end; empty when `failure` is set.
        finish_reason: `stop`; `length`: cut at the token limit; `repetition`: the model repeated itself without
            end, which is cut to one turn; `error`: there is no text.
        retries: attempts after one that failed.
        failure: why there is no text, in words fit for a client.
        longer_attempts: attempts with more room after one that was cut at the token limit.
    """

    text: str
    finish_reason: Literal["stop", "length", "repetition", "error"]
    retries: int = 0
    failure: str | None = None
    longer_attempts: int = 0


class Recognizer:
    """Sends regions to the VLM; one per process, shared by all documents."""

    def __init__(
        self,
        client: VlmClient,
        limiter: FairLimiter,
        *,
        pixel_limits: PixelLimits,
        repetition_guard: RepetitionGuard,
        max_output_tokens: int,
    ) -> None:
        """See the settings of these names."""
        self._client = client
        self._limiter = limiter
        self._pixel_limits = pixel_limits
        self._guard = repetition_guard
        self._max_output_tokens = max_output_tokens

    async def recognise(
        self, requests: Sequence[RegionRequest], sampling: Mapping[str, Any], owner: Hashable
    ) -> dict[int, Recognition]:
        """Recognise every region of a page; `owner` is the document whose turn it takes.

        A text that is cut at the token limit is asked for once more with more room, unless `sampling` has a
        `max_completion_tokens`, which is then the limit.

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
            first, *more = self._token_limits(sampling)
            recognition = await self._ask(request, image, {**sampling, "max_completion_tokens": first})
            for limit in more:
                if recognition.finish_reason != "length":
                    break
                longer = await self._ask(request, image, {**sampling, "max_completion_tokens": limit})
                recognition = _better(recognition, longer)
        return recognition

    async def _ask(self, request: RegionRequest, image: bytes, sampling: Mapping[str, Any]) -> Recognition:
        parameters = {**self._engine_guard(request), **sampling, **self._parameters(request)}
        watch = rules_for(request.label).stream if self._guard == "stream" else None
        try:
            completion = await self._client.complete(image, request.prompt, parameters, watch)
        except RegionFailure as failure:
            return Recognition("", "error", failure.retries, failure=str(failure))
        text, finish_reason = completion.text, completion.finish_reason
        if finish_reason != "stop":  # a text that the model ended itself is its own, however it reads
            text = cut_loop(text, request.label, known=finish_reason == "repetition")
            if text != completion.text:
                finish_reason = "repetition"
        return Recognition(text, finish_reason, completion.retries)

    def _token_limits(self, sampling: Mapping[str, Any]) -> list[int]:
        """Of each attempt."""
        if "max_completion_tokens" in sampling:
            return [sampling["max_completion_tokens"]]
        if self._max_output_tokens <= DEFAULT_MAX_NEW_TOKENS:
            return [self._max_output_tokens]
        return [DEFAULT_MAX_NEW_TOKENS, self._max_output_tokens]

    def _encode(self, request: RegionRequest) -> bytes:
        image = request.image
        if self._pixel_limits == "resize":
            image = resize_to_limits(image, request.min_pixels, request.max_pixels)
        return encode_crop(image)

    def _engine_guard(self, request: RegionRequest) -> dict[str, Any]:
        if self._guard != "engine":
            return {}
        return {"repetition_detection": dataclasses.asdict(rules_for(request.label).engine)}

    def _parameters(self, request: RegionRequest) -> dict[str, Any]:
        parameters: dict[str, Any] = {"skip_special_tokens": request.skip_special_tokens}
        if self._pixel_limits == "send":
            parameters["mm_processor_kwargs"] = {
                "min_pixels": request.min_pixels,
                "max_pixels": request.max_pixels,
            }
        return parameters


def _better(cut: Recognition, longer: Recognition) -> Recognition:
    """The longer text; where there is none, as when the model's context has no room for it, the cut one."""
    best = cut if longer.finish_reason == "error" else longer
    return dataclasses.replace(
        best, retries=cut.retries + longer.retries, longer_attempts=cut.longer_attempts + 1
    )
