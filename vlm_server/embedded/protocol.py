"""OpenAI's chat completion, as far as one image and one prompt need it: requests in, answers out."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlm_server.embedded.errors import BadRequestError, NotFoundError

FinishReason = Literal["stop", "length"]


class _Wire(BaseModel):
    # Sampling parameters and engines' extras mean nothing to OCR; like vLLM, unknown ones are let through.
    model_config = ConfigDict(extra="ignore")


class ImageUrl(_Wire):
    """Where an image is."""

    url: str


class ImagePart(_Wire):
    """An image in a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class TextPart(_Wire):
    """Text in a message."""

    type: Literal["text"]
    text: str


class Message(_Wire):
    """One message of the conversation."""

    role: Literal["user", "system", "assistant", "developer"]
    content: str | list[Annotated[ImagePart | TextPart, Field(discriminator="type")]]


class StreamOptions(_Wire):
    """What a stream carries beside text."""

    include_usage: bool = False


class ChatRequest(_Wire):
    """The body of `POST /v1/chat/completions`. Bounds are vLLM's, so that a mistake shows here as well."""

    model: str | None = None
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Annotated[int, Field(ge=1, le=1)] = 1
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0)] | None = None

    @property
    def token_limit(self) -> int | None:
        """The newer name wins, as in OpenAI's API."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens

    def prompt_and_image(self) -> tuple[str, str]:
        """The text of the user's messages and the URL of the one image.

        Raises:
            BadRequestError: there is not exactly one image.
        """
        texts: list[str] = []
        images: list[str] = []
        for message in self.messages:
            if message.role != "user":
                continue
            parts = [message.content] if isinstance(message.content, str) else message.content
            for part in parts:
                if isinstance(part, ImagePart):
                    images.append(part.image_url.url)
                else:
                    texts.append(part if isinstance(part, str) else part.text)
        if len(images) != 1:
            raise BadRequestError(f"Exactly one image is needed, got {len(images)}.", param="messages")
        return "".join(texts).strip(), images[0]


def parse_request(body: bytes, *, served_model_names: Sequence[str]) -> ChatRequest:
    """Validate a body.

    Raises:
        BadRequestError: it is not JSON, or not a chat completion request.
        NotFoundError: it asks for another model.
    """
    try:
        request = ChatRequest.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"{field or 'body'}: {first['msg']}.", param=field or None) from error
    if request.model is not None and request.model not in served_model_names:
        raise NotFoundError(f"The model `{request.model}` does not exist.", param="model")
    return request


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished completion and what it would have cost in tokens."""

    request_id: str
    model: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        """OpenAI's usage object."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }


def completion_body(answer: Answer) -> bytes:
    """The whole answer as one JSON body."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text},
        "logprobs": None,
        "finish_reason": answer.finish_reason,
    }
    return orjson.dumps(_envelope(answer, "chat.completion", [choice]) | {"usage": answer.usage})


def stream_events(answer: Answer, *, include_usage: bool) -> Iterator[bytes]:
    """The same answer as server-sent events, one line of text each; their texts join to the whole."""
    extra: dict[str, Any] = {"usage": None} if include_usage else {}

    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event(_envelope(answer, "chat.completion.chunk", [choice]) | extra)

    yield event({"role": "assistant", "content": ""})
    for line in answer.text.splitlines(keepends=True):
        yield event({"content": line})
    yield event({}, answer.finish_reason)
    if include_usage:
        yield _event(_envelope(answer, "chat.completion.chunk", []) | {"usage": answer.usage})
    yield b"data: [DONE]\n\n"


def models_body(served_model_names: Sequence[str]) -> bytes:
    """The answer of `GET /v1/models`."""
    return orjson.dumps({"object": "list", "data": [_card(name) for name in served_model_names]})


def _card(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(time.time()),
        "owned_by": "vlm_server.embedded",
        "root": "rapidocr/PP-OCRv6-small",
    }


def _envelope(answer: Answer, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": answer.request_id,
        "object": kind,
        "created": int(time.time()),
        "model": answer.model,
        "choices": choices,
    }


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(payload) + b"\n\n"
