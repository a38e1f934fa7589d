"""What browsers ask before a page of another origin may call the service."""

import pytest

from tests.gateway.conftest import GOOD, assert_error

PAGE = "https://app.example.com"


def preflight(
    gateway, origin=PAGE, method="POST", headers="authorization,content-type", path="/layout-parsing"
):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    return gateway.http.options(path, headers=asked)


@pytest.fixture
async def keyed(start_gateway):
    return await start_gateway(cors_origins=(PAGE,), api_keys="me:my-key")


async def test_without_the_setting_no_page_is_let_in(gateway):
    assert_error(await preflight(gateway), 405)
    answer = await gateway.parse(headers={"Origin": PAGE})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_page_that_was_let_in_may_ask_first_without_a_key_and_then_send_its_key(keyed):
    asked = await preflight(keyed)
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type", "x-request-id"} <= {
        name.strip().lower() for name in asked.headers["Access-Control-Allow-Headers"].split(",")
    }
    answer = await keyed.parse(headers={"Origin": PAGE, "Authorization": "Bearer my-key"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "x-request-id" in answer.headers["Access-Control-Expose-Headers"].lower()
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize("path", ["/layout-parsing", "/health", "/nothing"])
async def test_errors_can_be_read_by_the_page_too(keyed, path):
    answer = await keyed.http.post(path, json=GOOD, headers={"Origin": PAGE})
    assert answer.status_code in (401, 405)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE


async def test_lines_can_be_read_by_the_page_too(keyed):
    headers = {"Origin": PAGE, "Authorization": "Bearer my-key", "Accept": "application/x-ndjson"}
    answer = await keyed.parse(headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert len(answer.text.splitlines()) == 3


@pytest.mark.parametrize(
    "asked",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"method": "DELETE"},
        {"headers": "x-anything"},
    ],
)
async def test_other_pages_and_other_requests_are_refused_in_the_shape_of_all_errors(keyed, asked):
    answer = await preflight(keyed, **asked)
    assert_error(answer, 403, "HPS_CORS_ORIGINS")
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = await keyed.http.get("/health", headers={"Origin": "https://evil.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_every_page_can_be_let_in(start_gateway):
    gateway = await start_gateway(cors_origins=("*",))
    assert (await preflight(gateway, origin="https://any.example.org")).status_code == 200
    answer = await gateway.parse(headers={"Origin": "https://any.example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_options_without_a_page_is_a_method_like_others(keyed):
    assert_error(await keyed.http.options("/layout-parsing"), 405)
