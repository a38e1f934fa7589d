import hmac
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from docparse.image_store import ImageStoreSettings, StoreFailed, open_image_store
from tests.docparse.pages import box
from tests.docparse.parsing import running_pipeline
from tests.fakes.s3 import KEY_ID, REGION, SECRET_KEY, FakeS3, running_s3
from tests.samples import pdf_bytes

JPEG = b"\xff\xd8\xff picture"


@pytest.fixture(scope="module")
def s3():
    with running_s3() as server:
        server.add_bucket("pictures")
        yield server


def s3_settings(s3: FakeS3, **more: object) -> ImageStoreSettings:
    settings = {
        "image_store": "s3",
        "image_store_s3_bucket": "pictures",
        "image_store_s3_endpoint": s3.url,
        "image_store_s3_region": REGION,
        "image_store_s3_access_key_id": KEY_ID,
        "image_store_s3_secret_access_key": SECRET_KEY,
        **more,
    }
    return ImageStoreSettings(**settings)


def true_signature(url: str) -> str:
    """The signature that Amazon's rules (SigV4, query form) give this URL; moto checks none."""
    parts = urlsplit(url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    del query["X-Amz-Signature"]
    listed = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
    request = f"GET\n{parts.path}\n{listed}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    scope = query["X-Amz-Credential"].partition("/")[2]
    key = f"AWS4{SECRET_KEY}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def signature_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


async def test_a_picture_can_be_fetched_by_its_presigned_url_and_not_without(s3):
    store = open_image_store(s3_settings(s3, image_store_s3_prefix="/ocr/", image_url_seconds=120))
    pictures = [JPEG + bytes([number]) for number in range(40)]
    urls = await store.keep(pictures)
    async with httpx.AsyncClient() as http:
        answers = [await http.get(url) for url in urls]
        bare = await http.get(urls[0].partition("?")[0])
    assert [answer.content for answer in answers] == pictures
    answer = answers[0]
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, max-age=120"
    assert bare.status_code == 403
    assert {urlsplit(url).path.rpartition("/")[0] for url in urls} == {"/pictures/ocr"}
    assert "X-Amz-Expires=120&" in urls[0]
    assert signature_in(urls[0]) == true_signature(urls[0])


async def test_urls_can_be_signed_for_the_address_that_clients_use(s3):
    settings = s3_settings(s3, image_store_s3_client_endpoint="https://files.example.com:9000/")
    (url,) = await open_image_store(settings).keep([JPEG])
    assert url.startswith("https://files.example.com:9000/pictures/")
    assert signature_in(url) == true_signature(url)


async def test_urls_of_a_public_bucket_are_not_signed(s3):
    settings = s3_settings(
        s3, image_store_s3_public_url="https://cdn.example.com/p/", image_store_s3_prefix="a b"
    )
    (url,) = await open_image_store(settings).keep([JPEG])
    address, _, name = url.rpartition("/")
    assert address == "https://cdn.example.com/p/a%20b"
    assert s3.client.get_object(Bucket="pictures", Key=f"a b/{name}")["Body"].read() == JPEG


async def test_the_bucket_may_stand_in_the_host_name(s3, monkeypatch):
    # As a proxy the server is asked for every host, and moto finds the bucket in its name.
    monkeypatch.setenv("HTTP_PROXY", s3.url)
    settings = s3_settings(
        s3, image_store_s3_endpoint="http://s3.localhost", image_store_s3_url_style="virtual-host"
    )
    (url,) = await open_image_store(settings).keep([JPEG])
    assert url.startswith("http://pictures.s3.localhost/")
    assert signature_in(url) == true_signature(url)
    assert urlsplit(url).path.strip("/") in s3.keys("pictures")


async def test_a_bucket_that_is_not_there_fails_the_store_in_one_line(s3):
    store = open_image_store(s3_settings(s3, image_store_s3_bucket="absent"))
    with pytest.raises(StoreFailed, match="404") as failure:
        await store.keep([JPEG, JPEG])
    assert "\n" not in str(failure.value)
    assert SECRET_KEY not in str(failure.value)


async def test_a_server_that_is_down_fails_the_store(s3):
    store = open_image_store(s3_settings(s3, image_store_s3_endpoint="http://127.0.0.1:9"))
    with pytest.raises(StoreFailed):
        await store.keep([JPEG])


async def test_a_page_without_pictures_asks_nothing_of_the_server(s3):
    assert await open_image_store(s3_settings(s3, image_store_s3_bucket="absent")).keep([]) == []


async def test_urls_last_as_long_as_signing_allows(s3):
    week = int(timedelta(days=7).total_seconds())
    (url,) = await open_image_store(s3_settings(s3, image_url_seconds=week)).keep([JPEG])
    assert f"X-Amz-Expires={week}&" in url
    assert signature_in(url) == true_signature(url)


async def test_a_parsed_page_shows_its_pictures_by_urls_that_lead_to_them(s3, pool, settings):
    store = open_image_store(s3_settings(s3))
    try:
        async with running_pipeline(pool, settings, store) as pipeline:
            pipeline.layout.boxes = [box("image", 20, 20, 180, 180), box("text", 20, 190, 180, 195)]
            parsing = await pipeline.parse(pdf_bytes(1), visualize=True).finish()
    finally:
        store.close()
    element = parsing.elements[0]
    ((key, url),) = element["markdown"]["images"].items()
    assert f'src="{key}"' in element["markdown"]["text"]
    urls = [url, element["inputImage"], *element["outputImages"].values()]
    assert len(urls) == 3
    async with httpx.AsyncClient() as client:
        for each in urls:
            assert each.startswith(s3.url)
            assert (await client.get(each)).content.startswith(b"\xff\xd8\xff")
