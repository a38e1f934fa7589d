"""POST /restructure-pages."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.dependencies import get_record, get_resources
from gateway.models.example import EXAMPLE_PAGES
from gateway.models.responses import ErrorBody, RestructurePagesResponse
from gateway.models.restructuring import RestructurePagesRequest
from gateway.routes.answers import ResultAnswer
from gateway.routes.openapi import inline_definitions
from gateway.routes.submissions import read_restructuring
from gateway.services.restructuring import RestructureJob

router = APIRouter(tags=["documents"])

_ERRORS = {
    400: "The body cannot be read.",
    408: "The body stopped arriving.",
    413: "The body is over the limit.",
    415: "The body's Content-Type is not served.",
    422: "A field or a page is not valid.",
    429: "All places, or all room for bodies, are taken; Retry-After says when to come back.",
    503: "Triton is down, or the service is stopping.",
    504: "The pages were not finished in time.",
}

_REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": inline_definitions(RestructurePagesRequest.model_json_schema()),
            "example": EXAMPLE_PAGES,
        }
    },
}


@router.post(
    "/restructure-pages",
    summary="Make one document of parsed pages",
    responses={
        200: {"model": RestructurePagesResponse, "description": "The pages, restructured."},
        **{status: {"model": ErrorBody, "description": text} for status, text in _ERRORS.items()},
    },
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def restructure_pages(request: Request) -> Response:
    """Tables joined over pages, titles levelled, pages joined into one: from pages that were parsed before.

    Each of `pages` is `prunedResult` and `markdown.images` of an element that /layout-parsing answered; pages of
    several answers can be put together.
    """
    resources, record = get_resources(request), get_record(request)
    resources.restructuring_admission.refuse_when_full()
    submission = await read_restructuring(request, record)
    record.pages = submission.pages
    job = RestructureJob(record.logged_id, submission.options, submission.body)
    result = await resources.restructuring.run(job, resources.deadlines.start(), record)
    return ResultAnswer(record.log_id, result, resources.backlogs)
