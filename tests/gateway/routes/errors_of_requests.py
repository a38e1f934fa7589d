"""What a request itself does wrong: its body, its key, its origin, its link, its size."""

import hmac

import httpx

from tests.gateway.raw import connected
from tests.gateway.routes.bad_requests import BAD_REQUESTS, BadRequest
from tests.gateway.routes.error_stage import Stage, case

for bad_name, bad in BAD_REQUESTS.items():

    @case(bad_name, bad.status, bad.code, bad.sentence)
    async def sent(stage: Stage, bad: BadRequest = bad) -> httpx.Response:
        return await stage.post(bad.body, bad.headers)


IMAGES = {"image_store": "local", "image_store_dir": "/nowhere", "image_store_secret": "s" * 16}


def image_link(expires: int) -> str:
    name = f"9999999600-{'0' * 32}.jpg"
    message = f"{name}\n{expires}".encode()
    signature = hmac.digest(IMAGES["image_store_secret"].encode(), message, "sha256").hex()
    return f"/images/{name}?expires={expires}&signature={signature}"


@case("a forged link", 403, "invalid_link", "The link is not valid: its signature does not match.", **IMAGES)
async def forged_link(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(1).replace("expires=1", "expires=9999999000"))


@case(
    "an old link",
    403,
    "link_expired",
    "The link has expired; parse the document again for a new one.",
    **IMAGES,
)
async def old_link(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(1))


@case(
    "an image that is gone",
    404,
    "image_gone",
    "The image is gone; parse the document again for a new one.",
    **IMAGES,
)
async def image_that_is_gone(stage: Stage) -> httpx.Response:
    return await stage.get(image_link(9999999000))


@case(
    "no key",
    401,
    "missing_api_key",
    "An API key is needed; send it as `Authorization: Bearer KEY`.",
    api_keys="a:k",
)
async def no_key(stage: Stage) -> httpx.Response:
    return await stage.post()


@case(
    "a page of another origin",
    403,
    "origin_refused",
    "A page of this origin may not send this request (HPS_CORS_ORIGINS).",
    cors_origins=("https://a",),
)
async def page_of_another_origin(stage: Stage) -> httpx.Response:
    asked = {"Origin": "https://b", "Access-Control-Request-Method": "POST"}
    return await stage.gateway.http.options("/layout-parsing", headers=asked)


@case("wrong key", 403, "unknown_api_key", "The API key is not known.", api_keys="a:k")
async def wrong_key(stage: Stage) -> httpx.Response:
    return await stage.post(headers={"Authorization": "Bearer secret"})


@case(
    "unknown path", 404, "not_found", "There is nothing at this path; documents go to POST /layout-parsing."
)
async def unknown_path(stage: Stage) -> httpx.Response:
    return await stage.get("/nothing")


@case("wrong method", 405, "method_not_allowed", "This path does not answer the method GET.")
async def wrong_method(stage: Stage) -> httpx.Response:
    return await stage.get("/layout-parsing")


LIMITS = {"max_body_bytes": 8192, "max_document_bytes": 2048}


@case(
    "body too large",
    413,
    "payload_too_large",
    "The request's body has more than 8192 bytes (HPS_MAX_BODY_BYTES).",
    **LIMITS,
)
async def body_too_large(stage: Stage) -> httpx.Response:
    return await stage.post({"file": "A" * 9_000_000})


@case(
    "a body that stops",
    408,
    "request_timeout",
    "The request's body stopped arriving: it made no progress for 0.2 seconds (HPS_BODY_TIMEOUT).",
    body_timeout_seconds=0.2,
)
async def body_that_stops(stage: Stage) -> httpx.Response:
    async with connected(stage.gateway.url) as client:
        client.send("POST /layout-parsing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        status, headers, content = await client.answer()
    return httpx.Response(status, headers=headers, content=content)


@case("head too large", 431, "head_too_large", "The head of the request has more than 65536 bytes.")
async def head_too_large(stage: Stage) -> httpx.Response:
    return await stage.post(headers={"X-Long": "a" * 70_000})


@case(
    "document too large",
    413,
    "payload_too_large",
    "`file` has 3000 bytes; the limit is 2048 (HPS_MAX_DOCUMENT_BYTES).",
    **LIMITS,
)
async def document_too_large(stage: Stage) -> httpx.Response:
    return await stage.post({"file": "A" * 4000})
