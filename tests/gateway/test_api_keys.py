"""Keys as operators write them, and as clients show them."""

import logging

import pytest
from pydantic import ValidationError

from gateway.api_keys import ApiKeys, parse_entries
from gateway.observability import JsonFormatter
from gateway.settings import Settings
from tests.fakes.vlm import running_vlm
from tests.gateway.conftest import GOOD, assert_error
from tests.gateway.raw import exchange

KEYS = {"api_keys": "alice:secret1,bob:secret2"}
ALICE = {"Authorization": "Bearer secret1"}


@pytest.fixture
async def closed(start_gateway):
    """A gateway that asks for keys."""
    return await start_gateway(**KEYS)


@pytest.mark.difference(9)
@pytest.mark.parametrize(
    "header",
    [
        "Bearer secret1",
        "bearer secret1",
        "BEARER   secret1",
        "token secret1",
        "Token secret2",
    ],
)
async def test_a_key_opens_in_both_forms(closed, header):
    assert (await closed.parse(headers={"Authorization": header})).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "secret1", "Basic secret1", "Bearersecret1"])
async def test_without_a_key_the_answer_says_how_to_send_one(closed, triton, header):
    answer = await closed.parse(headers={"Authorization": header} if header else {})
    assert_error(answer, 401, "Authorization: Bearer")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not triton.requests


@pytest.mark.parametrize(
    "key", ["secret", "secret11", "SECRET1", "alice:secret1", "alice", "x" * 5000, "\xff"]
)
async def test_a_wrong_key_is_refused(closed, triton, key):
    answer = await closed.parse(headers={"Authorization": f"Bearer {key}".encode("latin-1")})
    assert_error(answer, 403, "not known")
    assert "WWW-Authenticate" not in answer.headers
    assert key[:5] not in answer.text
    assert not triton.requests


@pytest.mark.difference(9)
@pytest.mark.parametrize("header", [None, "Bearer anything", "Basic eDp5"])
async def test_without_configured_keys_the_header_is_ignored(gateway, header):
    headers = {"Authorization": header} if header else {}
    assert (await gateway.parse(headers=headers)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_probes_and_api_pages_need_no_key(start_gateway, headers):
    async with running_vlm() as vlm:
        closed = await start_gateway(**KEYS, vlm_urls=(vlm.url,))
        for path in ("/health", "/health/ready", "/openapi.json", "/docs", "/redoc"):
            assert (await closed.http.get(path, headers=headers)).status_code == 200, path
    scripts = [part.split('"')[0] for part in (await closed.http.get("/docs")).text.split('src="')[1:]]
    assert scripts
    for script in scripts:
        assert (await closed.http.get(script, headers=headers)).status_code == 200, script


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_a_probe_by_a_wrong_method_needs_no_key(closed, method):
    answer = await closed.http.request(method, "/layout-parsing")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/later", "/later/", "//later", "/nothing", "/", "/health/../later", "/docs/x"]
)
async def test_every_other_path_needs_a_key_whoever_adds_it(closed, path):
    async def later(request):
        raise AssertionError("reached without a key")

    closed.app.router.add_route("/later", later, methods=["GET", "POST"])
    for method in ("GET", "POST"):
        assert_error(await closed.http.request(method, f"{closed.url}{path}"), 401)


@pytest.mark.parametrize("path", ["/layout-parsing/", "//layout-parsing"])
async def test_slashes_around_a_path_open_nothing(closed, triton, path):
    assert_error(await closed.http.post(f"{closed.url}{path}", json=GOOD), 401)
    assert not triton.requests


async def test_the_key_is_checked_before_the_body_comes(closed):
    head = "POST /layout-parsing HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
    assert (await exchange(closed.url, f"{head}\r\n")).startswith(b"HTTP/1.1 401 ")
    assert (await exchange(closed.url, f"{head}Authorization: Bearer x\r\n\r\n")).startswith(b"HTTP/1.1 403 ")


async def test_the_log_names_the_holder_and_never_the_key(closed, caplog):
    caplog.set_level(logging.DEBUG)
    await closed.parse(headers=ALICE)
    await closed.parse(headers={"Authorization": "Bearer wrong-secret"})
    await closed.parse()
    lines = [record.fields for record in caplog.records if record.name == "gateway.access"]
    assert [line.get("key") for line in lines] == ["alice", None, None]
    assert [line.get("error") for line in lines] == [None, "unknown_api_key", "missing_api_key"]
    written = [JsonFormatter().format(record) for record in caplog.records if "httpx" not in record.name]
    assert not [line for line in written if "secret" in line]


async def test_the_api_pages_describe_keys_only_where_they_are_set(closed, gateway):
    schema = (await closed.http.get("/openapi.json")).json()
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "token"}
    parse = schema["paths"]["/layout-parsing"]["post"]
    assert parse["security"] == [{"bearer": []}, {"token": []}]
    assert {"401", "403"} <= set(parse["responses"])
    assert "security" not in schema["paths"]["/health"]["get"]
    plain = (await gateway.http.get("/openapi.json")).json()
    assert "securitySchemes" not in plain["components"]
    assert "401" not in plain["paths"]["/layout-parsing"]["post"]["responses"]


async def test_keys_come_from_the_environment_and_a_file(start_gateway, monkeypatch, tmp_path):
    path = tmp_path / "keys"
    path.write_text("# those who may\n\ncarol: secret3\n  # not dave:secret4\nerin:a,b:c#d\n")
    monkeypatch.setenv("HPS_API_KEYS", "alice:secret1, bob:secret2,")
    monkeypatch.setenv("HPS_API_KEYS_FILE", str(path))
    assert [key.name for key in Settings().all_api_keys] == ["alice", "bob", "carol", "erin"]
    gateway = await start_gateway()
    for key, status in {"secret1": 200, "secret3": 200, "a,b:c#d": 200, "secret4": 403}.items():
        answer = await gateway.parse(GOOD, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status, key


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3cret", "entry 1 must be name:key"),
        ("alice:s3cret,s3cret", "entry 2 must be name:key"),
        (":s3cret", "entry 1 must have a name"),
        ("a lice:s3cret", "entry 1 must have a name"),
        ("alice:", "entry 1 must have a key"),
        ("alice:s3cret s3cret", "entry 1 must have a key"),
        (",", "holds no key"),
        ("alice:s3cret,alice:s3crets", "the name 'alice' has two keys"),
        ("alice:s3cret,bob:s3cret", "'alice' and 'bob' have the same key"),
    ],
)
@pytest.mark.parametrize("where", ["environment", "file"])
def test_bad_keys_are_told_without_telling_them(monkeypatch, tmp_path, where, text, words):
    if where == "environment":
        monkeypatch.setenv("HPS_API_KEYS", text)
    else:
        path = tmp_path / "keys"
        path.write_text(text.replace(",", "\n"))
        monkeypatch.setenv("HPS_API_KEYS_FILE", str(path))
        words = words.replace("entry", "line")
    with pytest.raises(ValidationError, match="HPS_API_KEYS") as caught:
        Settings()
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b"a:\xff", "not UTF-8"), (b"", "no key")]
)
def test_a_file_that_gives_no_keys_is_no_open_service(monkeypatch, tmp_path, content, words):
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("HPS_API_KEYS_FILE", str(path))
    with pytest.raises(ValidationError, match=words):
        Settings()


def test_keys_are_not_kept():
    keys = parse_entries("alice:secret1,bob:secret2")
    assert "secret" not in repr(keys)
    assert not any(b"secret" in key.digest for key in keys)
    assert [ApiKeys(keys).name_of(key) for key in (b"secret1", b"secret2", b"")] == ["alice", "bob", None]
