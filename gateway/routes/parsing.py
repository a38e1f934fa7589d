"""POST /layout-parsing."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.dependencies import get_lease, get_record, get_resources
from gateway.models.example import EXAMPLE_REQUEST
from gateway.models.requests import LayoutParsingOptions, LayoutParsingRequest
from gateway.models.responses import ErrorBody, LayoutParsingResponse
from gateway.routes.answers import NDJSON, DocumentAnswer, LinesAnswer
from gateway.routes.submissions import read_submission
from gateway.services.parsing import ParseJob

router = APIRouter(tags=["documents"])

_ERRORS = {
    400: "The body cannot be read.",
    408: "The body stopped arriving.",
    413: "The body, the document or its number of pages is over the limit.",
    415: "The body's Content-Type is not served.",
    422: "A field or the document is not valid.",
    429: "All places, or all room for pages or for bodies, are taken; Retry-After says when to come back.",
    503: "Triton or the VLM is down, or the service is stopping.",
    504: "The document was not finished in time.",
}


def _form_schema() -> dict[str, Any]:
    schema = LayoutParsingOptions.model_json_schema()
    file = {
        "type": "string",
        "format": "binary",
        "description": "The document's bytes; or text as in the JSON form.",
    }
    # An empty field of a form is as if it were not there, and that is what Swagger should offer first.
    options = {name: {**field, "default": ""} for name, field in schema["properties"].items()}
    return {**schema, "properties": {"file": file, **options}, "required": ["file"]}


_REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": LayoutParsingRequest.model_json_schema(), "example": EXAMPLE_REQUEST},
        "multipart/form-data": {"schema": _form_schema()},
    },
}


@router.post(
    "/layout-parsing",
    summary="Parse a document",
    responses={
        200: {
            "model": LayoutParsingResponse,
            "description": "The document; as JSON lines when `Accept: application/x-ndjson` is sent.",
            "content": {NDJSON: {"schema": {"type": "string"}}},
        },
        **{status: {"model": ErrorBody, "description": text} for status, text in _ERRORS.items()},
    },
    openapi_extra={"requestBody": _REQUEST_BODY},
)
async def parse_document(request: Request) -> Response:
    """Layout blocks, Markdown and pictures of a PDF or an image.

    With `Accept: application/x-ndjson` the answer is lines: `{"type":"document",...}`, a
    `{"type":"page","index":i,"result":{...}}` as each page is done, then `{"type":"summary",...}` or
    `{"type":"error",...}`.
    """
    resources, record, lease = get_resources(request), get_record(request), get_lease(request)
    resources.admission.refuse_when_full()
    submission = await read_submission(request, record, max_bytes=resources.settings.max_body_bytes)
    deadline = resources.deadlines.start()
    document = await resources.documents.resolve(
        submission.take_file(), submission.file_type, lease, deadline
    )
    record.document_kind, record.document_bytes = document.kind.value, document.size_bytes
    job = ParseJob(record.logged_id, document, submission.parse, taken=lease.release)
    answer = LinesAnswer if NDJSON in request.headers.get("accept", "") else DocumentAnswer
    return answer(record, resources.backlogs, partial(resources.parsing.run, job, deadline, record))
