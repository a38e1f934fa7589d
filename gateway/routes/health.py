"""Liveness and readiness."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.dependencies import get_record, get_resources
from gateway.errors import NotReady, ShuttingDown
from gateway.models.records import RequestRecord
from gateway.models.responses import ErrorBody, HealthBody

router = APIRouter(tags=["health"])

# Nobody knows when a tier is back; this is how often orchestrators ask.
RETRY_AFTER_SECONDS = 5


@router.get("/health", summary="Whether this process serves", response_model=HealthBody)
@router.head("/health", include_in_schema=False)
async def health(request: Request) -> Response:
    """Answers 200 while the process lives; says nothing of Triton or the VLM."""
    return _answer(get_record(request), "Healthy")


@router.get(
    "/health/ready",
    summary="Whether documents can be parsed",
    response_model=HealthBody,
    responses={503: {"model": ErrorBody, "description": "What is missing."}},
)
@router.head("/health/ready", include_in_schema=False)
async def ready(request: Request) -> Response:
    """Probes Triton, its models and the VLM servers, within HPS_HEALTH_CHECK_TIMEOUT."""
    resources = get_resources(request)
    if resources.admission.draining:
        raise ShuttingDown("Not ready: shutting down.", retry_after_seconds=RETRY_AFTER_SECONDS)
    missing = await resources.readiness.missing()
    if missing:
        raise NotReady(f"Not ready: {'; '.join(missing)}.", retry_after_seconds=RETRY_AFTER_SECONDS)
    return _answer(get_record(request), "Ready")


def _answer(record: RequestRecord, message: str) -> Response:
    body = {"logId": record.log_id, "errorCode": 0, "errorMsg": message}
    return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})
