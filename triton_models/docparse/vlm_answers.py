"""What a VLM server says, read: chat completions as one JSON body or as a stream of events, and its errors."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import orjson

from docparse.repetition import LoopRule, RepetitionWatch

FinishReason = Literal["stop", "length", "repetition"]

EVENT_STREAM = "text/event-stream"

# When a server that is too busy does not say for how long; and the longest that it is believed.
_BUSY_SECONDS = 0.5
_LONGEST_BUSY_SECONDS = 30.0

# How engines say that they gave up on an answer; asked again they may not.
_GIVEN_UP = ("abort", "error")


class ServerFault(Exception):
    """The server could not answer this time; another attempt may work.

    The message is fit for a client: it names no address. What is for the log only is in `__cause__`.
    """


class ServerBusy(ServerFault):
    """The server has no room now, and may have said when to come back."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ServerBroken(ServerFault):
    """The server failed inside; it may be dying."""


class ServerGone(ServerFault):
    """Nobody listens, or nobody has said anything for long."""


class CallLost(ServerFault):
    """The connection broke before the answer was whole.

    Attributes:
        had_begun: whether some of the text was there already.
    """

    def __init__(self, message: str, *, had_begun: bool) -> None:
        super().__init__(message)
        self.had_begun = had_begun


class Refused(Exception):
    """The server will not answer this, however often it is asked. The message is fit for a client."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A text, and why the model ended it: by itself, at the token limit, or stopped because it looped."""

    text: str
    finish_reason: FinishReason


def read_error(status: int, body: bytes, retry_after: str | None = None) -> ServerFault | Refused:
    """What an answer with a status other than 200 means; `retry_after` is its header of that name."""
    seconds = _read_seconds(retry_after)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and seconds):
        return ServerBusy(f"HTTP {status}", seconds or _BUSY_SECONDS)
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    return _error(status, content)


def read_answer(body: bytes) -> Answer:
    """A completion that came as one JSON body.

    Raises:
        ServerFault: it is none.
    """
    try:
        choice = orjson.loads(body)["choices"][0]
        return Answer(str(choice["message"]["content"] or ""), _finish_reason(choice) or "stop")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ServerFault("its answer is not a chat completion") from error


class AnswerStream:
    """A completion that comes as server-sent events, put together and watched for loops."""

    def __init__(self, watch: LoopRule) -> None:
        self._watch = RepetitionWatch(watch)
        self._line_begun = b""
        self._loops = False
        self._finish_reason: FinishReason | None = None

    @property
    def has_text(self) -> bool:
        """Whether the text has begun."""
        return bool(self._watch.text)

    def feed(self, data: bytes) -> bool:
        """Take in what has come; true when the text loops and the rest is not wanted.

        Raises:
            ServerFault, Refused: an event says so, or is none.
        """
        *lines, self._line_begun = (self._line_begun + data).split(b"\n")
        for line in lines:
            # Comments keep a connection alive, names of events say nothing that their data does not.
            if line.startswith(b"data:"):
                self._read(line.removeprefix(b"data:").strip())
        # An end that has come already is the model's own.
        return self._loops and self._finish_reason is None

    def answer(self) -> Answer:
        """The whole text.

        Raises:
            ServerFault: the stream ended before the text did.
        """
        finish_reason = self._finish_reason or ("repetition" if self._loops else None)
        if finish_reason is None:
            raise ServerFault("its answer broke off")
        return Answer(self._watch.text, finish_reason)

    def _read(self, data: bytes) -> None:
        if data == b"[DONE]":
            return
        try:
            event = orjson.loads(data)
            if event.get("error") is not None or event.get("object") == "error":
                raise _error(_error_status(event), event)
            if not event["choices"]:
                return  # usage
            choice = event["choices"][0]
            piece = choice["delta"].get("content")
            finish_reason = _finish_reason(choice)
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ServerFault("its answer is not a chat completion") from error
        if piece:
            self._loops = self._watch.feed(str(piece)) or self._loops
        if finish_reason is not None:
            self._finish_reason = finish_reason


def _read_seconds(retry_after: str | None) -> float | None:
    """The header's seconds. It may also be a date, which no engine sends; that counts as none."""
    if retry_after is None or not retry_after.strip().isdigit():
        return None
    return min(float(retry_after), _LONGEST_BUSY_SECONDS)


def _finish_reason(choice: Any) -> FinishReason | None:
    """None while the text goes on.

    Raises:
        ServerFault: the server gave up.
    """
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if reason in _GIVEN_UP:
        raise ServerFault(f"it gave up on its answer ({reason})")
    # vLLM's words are `repetition` and, as stop_reason, `repetition_detected`.
    if any(str(word).startswith("repetition") for word in (reason, choice.get("stop_reason"))):
        return "repetition"
    return "length" if reason == "length" else "stop"


def _error_status(event: Any) -> int:
    details = event.get("error")
    code = (details if isinstance(details, dict) else event).get("code")
    return code if isinstance(code, int) else HTTPStatus.INTERNAL_SERVER_ERROR


def _error(status: int, content: Any) -> ServerFault | Refused:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ServerBusy(f"HTTP {status}", _BUSY_SECONDS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerBroken(f"HTTP {status}")
    try:
        message = content.get("message") or content["error"]["message"]
    except (KeyError, TypeError, AttributeError):
        return Refused(f"HTTP {status}")
    return Refused(f"HTTP {status}, {str(message)[:200]}")
