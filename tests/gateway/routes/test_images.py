import hmac
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.errors import LinkExpired
from gateway.services.images import Images
from tests.gateway.conftest import assert_error

SECRET = "not so secret at all"
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "images" / "links.json").read_text())
JPEG = b"\xff\xd8\xff picture"
FOLDER = "9999999600"
NAME = f"{FOLDER}-00112233445566778899aabbccddeeff.jpg"


def sign(name: str, expires: object, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{name}\n{expires}".encode(), "sha256").hexdigest()


def link(name: str = NAME, expires: object = 9999999000, secret: str = SECRET) -> str:
    return f"/images/{name}?expires={expires}&signature={sign(name, expires, secret)}"


def put(folder: Path, path: str = f"{FOLDER}/{NAME}") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(JPEG)


@pytest.fixture
async def gateway(start_gateway, tmp_path):
    put(tmp_path)
    return await start_gateway(image_store="local", image_store_dir=tmp_path, image_store_secret=SECRET)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["base_url"])
async def test_a_link_that_the_model_made_shows_its_picture(golden, tmp_path):
    put(tmp_path, golden["path"])
    url = urlsplit(golden["url"])
    name = url.path.rpartition("/")[2]
    query = dict(part.split("=") for part in url.query.split("&"))
    ends = golden["expires"]
    clock = iter([ends - 90, ends - 0.5, ends, ends + 1e6])
    images = Images(tmp_path, golden["secret"].encode(), now=lambda: next(clock))
    found = await images.find(name, **query)
    assert (found.data, found.seconds_left) == (JPEG, 90)
    assert (await images.find(name, **query)).seconds_left == 0
    for _ in range(2):
        with pytest.raises(LinkExpired):
            await images.find(name, **query)


async def test_a_picture_is_shown_as_one_and_kept_by_its_viewer_only_while_its_link_is_good(gateway):
    expires = int(time.time()) + 100
    answer = await gateway.http.get(link(expires=expires))
    assert (answer.status_code, answer.content) == (200, JPEG)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    private, _, age = answer.headers["Cache-Control"].partition(", max-age=")
    assert private == "private"
    assert 60 <= int(age) <= 100


async def test_head_tells_what_get_would_show(gateway):
    answer = await gateway.http.head(link())
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(JPEG))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert (await gateway.http.head(link(expires=1))).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"/images/{NAME}",
        f"/images/{NAME}?expires=9999999000",
        f"/images/{NAME}?signature={sign(NAME, '')}",
        f"/images/{NAME}?expires=&signature={sign(NAME, '')}",
        f"/images/{NAME}?expires=9999999001&signature={sign(NAME, 9999999000)}",
        f"/images/{NAME}?expires=9999999000&signature={sign(NAME, 9999999000).upper()}",
        f"/images/{NAME}?expires=9999999000&signature=%C3%A9%E4%B8%AD",
        f"/images/{NAME.replace('0011', '0012')}?expires=9999999000&signature={sign(NAME, 9999999000)}",
        link(secret="another secret of some length"),
        link(expires="9999999000.5"),
        link(expires="-1"),
        link(expires="9" * 5000),
        link(expires="\N{ARABIC-INDIC DIGIT NINE}" * 10),
        link(name="passwd"),
        link(name=f"{FOLDER}-x.jpg"),
        link(name=f"{FOLDER}-..%2f..%2fetc%2fpasswd").replace("%2f", "%5c"),
        link(name="%2e%2e"),
    ],
)
async def test_a_link_that_is_not_ours_is_refused(gateway, path):
    assert_error(await gateway.http.get(path), 403, "signature does not match")


@pytest.mark.parametrize(
    "path", ["../secret.jpg", "..%2Fsecret.jpg", "%2e%2e/secret.jpg", "%2Fetc%2Fpasswd", ""]
)
async def test_no_path_leads_out_of_the_folder(gateway, tmp_path, path):
    (tmp_path.parent / "secret.jpg").write_bytes(b"private")
    for name in (path, path.replace("%2F", "/")):
        query = f"?expires=9999999000&signature={sign(name, 9999999000)}"
        answer = await gateway.http.get(f"/images/{path}{query}")
        assert_error(answer, answer.status_code)
        assert answer.status_code in (403, 404)


async def test_an_expired_link_and_a_removed_picture_are_told_apart(gateway, tmp_path):
    assert_error(await gateway.http.get(link(expires=1)), 403, "expired", "parse the document again")
    (tmp_path / FOLDER / NAME).unlink()
    assert_error(await gateway.http.get(link()), 404, "gone")


async def test_a_signed_link_needs_no_api_key(start_gateway, tmp_path):
    put(tmp_path)
    gateway = await start_gateway(
        image_store="local",
        image_store_dir=tmp_path,
        image_store_secret=SECRET,
        api_keys="someone:key-of-someone",
    )
    assert (await gateway.http.get(link())).content == JPEG
    assert_error(await gateway.http.get(f"/images/{NAME}"), 403, "signature")
    assert_error(await gateway.parse(), 401)
    paths = (await gateway.http.get("/openapi.json")).json()["paths"]
    assert "security" not in paths["/images/{name}"]["get"]


async def test_the_api_pages_show_the_route_where_it_is(gateway, start_gateway):
    operation = (await gateway.http.get("/openapi.json")).json()["paths"]["/images/{name}"]["get"]
    assert set(operation["responses"]) >= {"200", "403", "404"}
    assert set(operation["responses"]["200"]["content"]) == {"image/jpeg"}
    assert {parameter["name"] for parameter in operation["parameters"]} == {"name", "expires", "signature"}
    inline = await start_gateway()
    assert "/images/{name}" not in (await inline.http.get("/openapi.json")).json()["paths"]
    assert_error(await inline.http.get(link()), 404)


async def test_the_signature_is_not_in_the_log(gateway, caplog):
    with caplog.at_level("DEBUG", logger="gateway"):
        await gateway.http.get(link())
    assert NAME in str([record.__dict__ for record in caplog.records])
    assert sign(NAME, 9999999000) not in str([record.__dict__ for record in caplog.records])
