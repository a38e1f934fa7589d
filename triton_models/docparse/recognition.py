"""The regions of a page, recognised: a bounded, fair fan-out to the VLM servers."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from docparse.crops import encode_crop, resize_to_limits
from docparse.deadline import Deadline
from docparse.errors import RegionFailure
from docparse.regions import RegionRequest
from docparse.repetition import cut_loop, rules_for
from docparse.scheduling import FairLimiter, Hold, Turn
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


@dataclass(frozen=True, slots=True)
class EncodedRegion:
    """A region as it goes to the VLM; some kilobytes, where its pixels are some hundred.

    Attributes:
        region: see `RegionRequest`; without its picture.
        image: the picture as a `data:` URL.
    """

    region: RegionRequest
    image: bytes


class Recognizer:
    """Sends regions to the VLM; one per process, shared by all documents.

    Attributes:
        limiter: the line for places at the VLM servers.
    """

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
        self.limiter = limiter
        self._pixel_limits = pixel_limits
        self._guard = repetition_guard
        self._max_output_tokens = max_output_tokens

    def encode(self, requests: Sequence[RegionRequest]) -> list[EncodedRegion]:
        """Regions ready to be sent, so that nobody waits for that who has a place at a VLM. CPU work, for a thread."""
        return [
            EncodedRegion(dataclasses.replace(request, image=None), self._encode(request))
            for request in requests
        ]

    async def recognise(
        self,
        encoded: Sequence[EncodedRegion],
        sampling: Mapping[str, Any],
        turn: Turn,
        deadline: Deadline,
        on_asked: Callable[[], None] = lambda: None,
    ) -> dict[int, Recognition]:
        """Recognise every region of a page; `turn` is the page's, `on_asked` is called once all stand in line.

        A text that is cut at the token limit is asked for once more with more room, unless `sampling` has a
        `max_completion_tokens`, which is then the limit.

        Returns:
            A recognition for each region, by its index. A region that fails is a recognition too.

        Raises:
            VlmUnavailable: no VLM server can be reached; the page's other calls are cancelled.
            DeadlineExceeded: the clock ran out.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    each.region.index: group.create_task(self._recognise_one(each, sampling, turn, deadline))
                    for each in encoded
                }
                asyncio.get_running_loop().call_soon(on_asked)  # behind the first step of each task
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return {index: task.result() for index, task in tasks.items()}

    async def _recognise_one(
        self, encoded: EncodedRegion, sampling: Mapping[str, Any], turn: Turn, deadline: Deadline
    ) -> Recognition:
        async with self.limiter.slot(turn) as place:
            first, *more = self._token_limits(sampling)
            limited = {**sampling, "max_completion_tokens": first}
            recognition = await self._ask(encoded, limited, deadline, place)
            for limit in more:
                if recognition.finish_reason != "length":
                    break
                limited = {**sampling, "max_completion_tokens": limit}
                recognition = _better(recognition, await self._ask(encoded, limited, deadline, place))
        return recognition

    async def _ask(
        self, encoded: EncodedRegion, sampling: Mapping[str, Any], deadline: Deadline, place: Hold
    ) -> Recognition:
        request = encoded.region
        parameters = {**self._engine_guard(request), **sampling, **self._parameters(request)}
        watch = rules_for(request.label).stream if self._guard == "stream" else None
        try:
            completion = await self._client.complete(
                encoded.image,
                request.prompt,
                parameters,
                watch,
                seconds_left=deadline.seconds_left,
                place=place,
            )
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
        if image is None:
            raise ValueError("a region without its picture cannot be encoded")
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
