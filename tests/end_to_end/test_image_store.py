"""Pictures as URLs: HPS_IMAGE_STORE=local, as `make serve` runs it with nothing else set."""

import base64
import io
import re
import zipfile
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from deploy.local.process import RunningStack, running_stack
from docparse.assembly.pictures import encode_again_for_word
from tests.end_to_end.conftest import EXAMPLES


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(
        tmp_path_factory.mktemp("stack") / "stack.log",
        {"HPS_IMAGE_STORE": "local", "HPS_API_KEYS": "me:my-key"},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def result(stack: RunningStack) -> dict:
    answer = httpx.post(
        f"{stack.url}/layout-parsing",
        files={"file": (EXAMPLES / "paper.pdf").read_bytes()},
        headers={"Authorization": "Bearer my-key"},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_every_picture_is_a_link_that_shows_a_jpeg_to_whoever_has_it(stack, result):
    with httpx.Client() as client:
        for page in result["layoutParsingResults"]:
            links = [*page["markdown"]["images"].values(), *page["outputImages"].values(), page["inputImage"]]
            for link in links:
                assert link.startswith(f"http://localhost:{stack.environment['HPS_PORT']}/images/")
                answer = client.get(link)
                assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
                Image.open(io.BytesIO(answer.content)).load()
            assert "warnings" not in page


def test_the_pictures_in_the_text_are_those_of_the_links(stack, result):
    pages = [page["markdown"] for page in result["layoutParsingResults"]]
    shown = [set(re.findall(r'src="([^"]+)"', page["text"])) for page in pages]
    assert shown == [set(page["images"]) for page in pages]
    assert sum(map(len, shown)) == 2
    page, (path, *_) = next((page, list(page["images"])) for page in pages if page["images"])
    width, height = map(int, re.search(r"_box_(\d+_\d+_\d+_\d+)\.jpg", path)[1].split("_")[2:])
    picture = Image.open(io.BytesIO(httpx.get(page["images"][path]).content))
    assert 0 < picture.width <= width
    assert 0 < picture.height <= height


def test_links_given_back_become_pictures_of_the_word_document(stack, result):
    pages = [
        {"prunedResult": page["prunedResult"], "markdownImages": page["markdown"]["images"]}
        for page in result["layoutParsingResults"]
    ]
    answer = httpx.post(
        f"{stack.url}/restructure-pages",
        json={"pages": pages, "concatenatePages": True, "outputFormats": ["docx"]},
        headers={"Authorization": "Bearer my-key"},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    (page,) = answer.json()["result"]["layoutParsingResults"]
    assert "warnings" not in page
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(page["exports"]["docx"]["content"]))) as archive:
        pictures = [archive.read(name) for name in archive.namelist() if name.startswith("word/media/")]
    links = page["markdown"]["images"].values()
    assert sorted(pictures) == sorted(encode_again_for_word(httpx.get(link).content) for link in links)
    assert len(pictures) == 2


def test_a_link_that_was_changed_shows_nothing(result):
    link = result["layoutParsingResults"][0]["inputImage"]
    expires = re.search(r"expires=(\d+)", link)[1]
    answer = httpx.get(link.replace(expires, str(int(expires) + 1)))
    assert answer.status_code == 403
    assert answer.json()["errorCode"] == 403
