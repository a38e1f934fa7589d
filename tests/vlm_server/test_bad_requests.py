import pytest

from tests.vlm_server.asking import MODEL, request_body
from tests.vlm_server.drawing import blank, data_url, text_image

PICTURE = data_url(text_image(["Good"], width=200))


async def refused(response, status, *words):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == status
    assert error["type"]
    assert all(word in error["message"] for word in words), error["message"]


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://example.org/a.png", "data:"),
        ("file:///etc/passwd", "data:"),
        ("data:image/png;base64,@@@@", "base64"),
        ("data:image/png,plain", "base64"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png;base64,aGVsbG8=", "decoded"),
        (PICTURE[: len(PICTURE) // 8 * 4 + len("data:image/png;base64,") % 4], "image"),
    ],
)
async def test_an_image_that_is_none_is_400(ask, url, word):
    await refused(await ask(url), 400, word)


async def test_an_aspect_ratio_over_200_is_400(ask):
    await refused(await ask(blank(402, 2)), 400, "aspect ratio", "402x2")


async def test_an_unknown_prompt_is_400_and_names_the_known_ones(ask):
    await refused(await ask(PICTURE, "Describe this."), 400, "OCR:", "Table Recognition:")


async def test_an_unknown_model_is_404(ask):
    await refused(await ask(PICTURE, model="gpt"), 404, "`gpt`")


async def test_no_model_means_the_one_there_is(client):
    body = request_body(PICTURE)
    del body["model"]
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"n": 2}, "n"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
async def test_a_bad_parameter_is_400_and_named(ask, options, word):
    await refused(await ask(PICTURE, **options), 400, word)


@pytest.mark.parametrize("count", [0, 2])
async def test_other_than_one_image_is_400(client, count):
    image = {"type": "image_url", "image_url": {"url": PICTURE}}
    content = [image] * count + [{"type": "text", "text": "OCR:"}]
    body = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
    await refused(await client.post("/v1/chat/completions", json=body), 400, "one image", str(count))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
async def test_a_malformed_body_is_400(client, body):
    await refused(await client.post("/v1/chat/completions", content=body), 400)


async def test_an_unknown_path_and_method_have_the_error_shape(client):
    await refused(await client.get("/v1/embeddings"), 404)
    await refused(await client.get("/v1/chat/completions"), 405)
