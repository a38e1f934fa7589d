"""Calls to the VLM servers, by OpenAI's chat completions protocol: which server, how often, and when to give up."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson

from docparse.errors import DeadlineExceeded, RegionFailure, VlmUnavailable
from docparse.quarantine import Quarantine, digest_of
from docparse.repetition import LoopRule
from docparse.vlm_answers import (
    Answer,
    CallLost,
    FinishReason,
    Refused,
    ServerBroken,
    ServerBusy,
    ServerFault,
    ServerGone,
)
from docparse.vlm_dialects import DIALECTS, Dialect
from docparse.vlm_replicas import Replica, Replicas
from docparse.vlm_transport import SILENCE_SECONDS, VlmTransport

logger = logging.getLogger(__name__)

# First pause before another attempt; doubled each time, with jitter so that callers do not return as one.
_BACKOFF_SECONDS = 0.2

# How long a call waits for a server to be tried again when none is called: longer than the first time that a circuit
# is open, so that a server that comes back at once costs nothing; no longer, or documents pile up behind one that is
# gone.
_PATIENCE_SECONDS = 5.0
_LEAST_WAIT_SECONDS = 0.05
# And how soon it looks again while another call finds out; that one has an end, so this is not counted.
_DECISION_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Completion:
    """What a VLM server answered, after how many attempts that failed; see `Answer`."""

    text: str
    finish_reason: FinishReason
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmPolicy:
    """How patient the client is; see the settings of these names."""

    timeout_seconds: float
    retries: int
    circuit_failures: int = 5
    circuit_seconds: float = 1.0
    quarantine_strikes: int = 2
    quarantine_seconds: float = 600.0


@dataclass(slots=True)
class _Call:
    """One region on its way to an answer.

    Attributes:
        ends_at: of the document's clock, by `time.monotonic`.
        attempts: that failed.
        waited_seconds: for a server that may be called at all.
        has_looked_again: whether servers that were not called were asked on its behalf whether they live by now.
        key: what the region is known by in quarantine; only made when it is needed.
    """

    image: bytes
    prompt: str
    body: bytes
    watch: LoopRule | None
    ends_at: float
    tried: set[Replica] = field(default_factory=set)
    attempts: int = 0
    waited_seconds: float = 0.0
    has_looked_again: bool = False
    began_at: float = field(default_factory=time.monotonic)
    failure: ServerFault = field(default_factory=lambda: ServerGone("no attempt was made"))
    key: bytes | None = None

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()


class VlmClient:
    """Balances calls over VLM servers by calls in flight; use as an async context manager.

    Attributes:
        replicas: the servers; `replicas.on_change` tells how many of them are called.
    """

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        policy: VlmPolicy,
        *,
        api_key: str | None = None,
        dialect: Dialect = DIALECTS["vllm"],
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """`silence_seconds`: after which a server that has calls is asked whether it lives."""
        self._dialect = dialect
        self._model = model
        self._policy = policy
        self.replicas = Replicas(urls, failures=policy.circuit_failures, seconds=policy.circuit_seconds)
        self._quarantine = Quarantine(policy.quarantine_strikes, policy.quarantine_seconds)
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._transport = VlmTransport(self.replicas, headers, silence_seconds)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, value, traceback)

    async def complete(
        self,
        image: bytes,
        prompt: str,
        parameters: Mapping[str, Any],
        watch: LoopRule | None = None,
        *,
        seconds_left: float = math.inf,
    ) -> Completion:
        """Ask for the completion of `prompt` on one JPEG or PNG image given as a `data:` URL's bytes.

        Cancelling the call closes its connection, at which vLLM stops generating.

        Args:
            image: the URL.
            prompt: the words of the task.
            parameters: of the call, under OpenAI's or vLLM's names.
            watch: with it the answer is streamed, and the connection closed once the text loops. A server that
                answers whole all the same is understood.
            seconds_left: of the document's clock.

        Raises:
            RegionFailure: this region was refused or kept failing, or is in quarantine; the servers are up.
            VlmUnavailable: no VLM server can be reached.
            DeadlineExceeded: the document's clock ran out.
        """
        body = self._body(image, prompt, parameters, stream=watch is not None)
        call = _Call(image, prompt, body, watch, time.monotonic() + seconds_left)
        while call.attempts <= self._policy.retries:
            replica = self.replicas.pick(call.tried)
            if replica is None:
                if not await self._wait_for_a_server(call):
                    break
            elif (busy_seconds := replica.busy_until - time.monotonic()) > 0:
                # With jitter, so that those who were sent away together do not come back as one.
                await asyncio.sleep(busy_seconds * random.uniform(1.0, 1.2))  # noqa: S311
            elif (answer := await self._attempt(call, replica)) is not None:
                return Completion(answer.text, answer.finish_reason, retries=call.attempts)
            else:
                await self._pause(call)
        await self._find_living()
        raise RegionFailure(
            f"The VLM server failed {call.attempts} times: {call.failure}", retries=max(0, call.attempts - 1)
        )

    async def _attempt(self, call: _Call, replica: Replica) -> Answer | None:
        """Ask one server; None when it failed, and another attempt may work."""
        call.tried.add(replica)
        decides = replica.circuit.begin()
        try:
            if decides and not await self._transport.is_alive(replica):
                self._note_fault(call, replica, ServerGone("it does not answer its health probe"))
                return None
            is_suspect = self._check_quarantine(call)
            async with replica.on_probation if is_suspect else nullcontext():
                try:
                    answer = await self._post(call, replica)
                except ServerFault as fault:
                    await self._judge(call, replica, fault, is_suspect=is_suspect)
                    return None
        except (asyncio.CancelledError, RegionFailure, DeadlineExceeded):
            replica.circuit.give_up()
            raise
        self._note_answer(call, replica)
        return answer

    async def _post(self, call: _Call, replica: Replica) -> Answer:
        seconds = min(self._policy.timeout_seconds, call.seconds_left)
        try:
            return await self._transport.post(replica, call.body, call.watch, seconds)
        except Refused as refusal:
            self._note_answer(call, replica)
            message = f"The VLM server refused it: {refusal}"
            raise RegionFailure(message, retries=call.attempts) from refusal
        except ServerFault:
            if call.seconds_left <= 0:
                raise DeadlineExceeded("The document was not finished within the time limit.") from None
            raise

    def _check_quarantine(self, call: _Call) -> bool:
        """Whether the region is a suspect, to be sent alone.

        Raises:
            RegionFailure: it is in quarantine.
        """
        if not self._quarantine:
            return False
        call.key = call.key or digest_of(call.image, call.prompt)
        if self._quarantine.holds(call.key):
            raise RegionFailure(
                "VLM servers went down each time they were asked about it; it is not sent again for a while",
                retries=max(0, call.attempts - 1),
            )
        return self._quarantine.suspects(call.key)

    async def _judge(self, call: _Call, replica: Replica, fault: ServerFault, *, is_suspect: bool) -> None:
        """What a fault says of the server and of the region."""
        if isinstance(fault, ServerBroken) and not await self._transport.is_alive(replica):
            fault = CallLost(f"{fault}, and it is gone", had_begun=False)
        if isinstance(fault, CallLost) and not fault.had_begun:
            call.key = call.key or digest_of(call.image, call.prompt)
            self._quarantine.strike(call.key, was_suspect=is_suspect)
        self._note_fault(call, replica, fault)

    def _note_fault(self, call: _Call, replica: Replica, fault: ServerFault) -> None:
        call.failure = fault
        logger.warning("VLM call to %s failed: %s", replica.url, fault)
        if isinstance(fault, ServerBusy):
            replica.busy_until = time.monotonic() + fault.retry_after_seconds
            replica.circuit.give_up()
            # It is not at fault, so this is no attempt; but it cannot put us off for ever.
            call.attempts += time.monotonic() - call.began_at > self._policy.timeout_seconds
            return
        call.attempts += 1
        replica.circuit.fail(is_gone=isinstance(fault, ServerGone))
        self.replicas.note()

    def _note_answer(self, call: _Call, replica: Replica) -> None:
        replica.circuit.succeed()
        self.replicas.note()
        if call.key is not None:
            self._quarantine.clear(call.key)

    async def _wait_for_a_server(self, call: _Call) -> bool:
        """Wait until one may be tried again, as long as patience lasts; false when it does not.

        Raises:
            VlmUnavailable: none lives.
        """
        if any(replica.circuit.is_being_tried for replica in self.replicas):
            await asyncio.sleep(_DECISION_SECONDS)
            return True
        seconds = max(_LEAST_WAIT_SECONDS, self.replicas.seconds_until_one_is_tried())
        if call.waited_seconds + seconds > _PATIENCE_SECONDS:
            return await self._look_again(call)
        call.waited_seconds += seconds
        await asyncio.sleep(seconds)
        return True

    async def _look_again(self, call: _Call) -> bool:
        """Have servers tried at once that live by now; false when that was done for this call before.

        A server that was gone for long is not called for long after it is back, and the region is not to blame.
        """
        alive = await self._find_living()
        if call.has_looked_again:
            return False
        call.has_looked_again = True
        call.waited_seconds = 0.0
        for replica in alive:
            replica.circuit.try_soon()
        return True

    async def _find_living(self) -> list[Replica]:
        """The servers that answer their health probes.

        Raises:
            VlmUnavailable: there is none.
        """
        answers = await asyncio.gather(*map(self._transport.is_alive, self.replicas))
        alive = [replica for replica, answer in zip(self.replicas, answers, strict=True) if answer]
        if not alive:
            raise VlmUnavailable("No VLM server answers; try again later.")
        return alive

    async def _pause(self, call: _Call) -> None:
        """Before another attempt: none when another server can be asked, or when the last one said when to come."""
        others = (each for each in self.replicas if each not in call.tried and each.circuit.lets_through())
        if call.attempts and not isinstance(call.failure, ServerBusy) and not any(others):
            seconds = _BACKOFF_SECONDS * 2 ** (call.attempts - 1)
            await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311

    def _body(self, image: bytes, prompt: str, parameters: Mapping[str, Any], *, stream: bool) -> bytes:
        content = [
            {"type": "image_url", "image_url": {"url": image.decode("ascii")}},
            {"type": "text", "text": prompt},
        ]
        messages = [{"role": "user", "content": content}]
        streaming = {"stream": True} if stream else {}
        said = self._dialect.translate(parameters)
        return orjson.dumps({"model": self._model, "messages": messages, **said, **streaming})
