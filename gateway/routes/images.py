"""GET /images/{name}: pictures of answers, where HPS_IMAGE_STORE is local."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.dependencies import get_resources
from gateway.models.responses import ErrorBody

router = APIRouter(tags=["documents"])

_ERRORS = {403: "The link is forged or has expired.", 404: "The image is gone."}
_QUERY = [
    {
        "name": name,
        "in": "query",
        "required": True,
        "schema": {"type": "string"},
        "description": f"{meaning}, as in the link.",
    }
    for name, meaning in {"expires": "Unix seconds", "signature": "Hexadecimal digits"}.items()
]


@router.get(
    "/images/{name}",
    summary="Show a picture of an answer",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {"image/jpeg": {}}},
        **{status: {"model": ErrorBody, "description": text} for status, text in _ERRORS.items()},
    },
    openapi_extra={"parameters": _QUERY},
)
@router.head("/images/{name}", include_in_schema=False)
async def show_image(name: str, request: Request) -> Response:
    """Links come with answers and need no API key: their signature is the key, until they expire."""
    resources = get_resources(request)
    assert resources.images is not None  # noqa: S101 - this route is there only then
    query = request.query_params
    picture = await resources.images.find(
        name, expires=query.get("expires", ""), signature=query.get("signature", "")
    )
    headers = {
        # Only for as long as the link itself, and by nobody between us and its holder.
        "Cache-Control": f"private, max-age={picture.seconds_left}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(picture.data, media_type="image/jpeg", headers=headers)
