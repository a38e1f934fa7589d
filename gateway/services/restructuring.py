"""Parsed pages through Triton: a place, one request, one answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.deadline import Deadline
from gateway.models.records import RequestRecord
from gateway.services.admission import Admission
from gateway.upstreams.triton import Triton


@dataclass(frozen=True, slots=True)
class RestructureJob:
    """A checked request; `body` is the client's own JSON, with the pages in it."""

    log_id: str
    options: Mapping[str, Any]
    body: bytes


class Restructuring:
    """Runs jobs within their limit, which is not that of documents: they need no VLM and no GPU."""

    def __init__(self, *, triton: Triton, admission: Admission) -> None:
        self._triton = triton
        self._admission = admission

    async def run(self, job: RestructureJob, deadline: Deadline, record: RequestRecord) -> bytes:
        """JSON bytes of `result`. Cancelling this coroutine cancels the work in Triton and frees the place.

        Raises:
            GatewayError: TooBusy, DeadlineExceeded, whatever the model said, or that Triton is gone.
        """
        async with deadline.enforce(), self._admission.place_noted(record):
            began = time.monotonic()
            try:
                return await self._triton.restructure(
                    job.body,
                    log_id=job.log_id,
                    options=job.options,
                    timeout_seconds=deadline.remaining_seconds(),
                )
            finally:
                record.inference_seconds = time.monotonic() - began
