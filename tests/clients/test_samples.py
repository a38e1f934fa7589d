"""Requests like those of PaddleOCR's documentation, in the languages that are installed."""

import functools
import json
import subprocess
from collections.abc import Callable

import pytest

from tests.clients.answers import image_sources, picture
from tests.clients.conftest import EXAMPLES, PROGRAM_SECONDS
from tests.clients.languages import LANGUAGES


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """How to run a language's sample, built once; the test is skipped where a package is missing."""

    @functools.cache
    def built(name: str) -> list[str]:
        language = LANGUAGES[name]
        if package := language.missing():
            pytest.skip(f"needs Debian's {package}")
        return language.built(tmp_path_factory.mktemp("sample"))

    return built


def run(command: list[str], *arguments: object) -> str:
    done = subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "java"])
@pytest.mark.parametrize(
    ("file", "words"), [("paper.pdf", ["Garden Pond", "", ""]), ("chinese.png", ["青禾社区图书馆"])]
)
def test_file_and_file_type_alone_give_texts_pictures_and_drawn_regions(
    url, tmp_path, command, *, language, file, words
):
    program = command(language)
    printed = run(program, url, EXAMPLES / file, int(not file.endswith(".pdf")), tmp_path)
    pages = [json.loads(line)["parsing_res_list"] for line in printed.splitlines()]
    contents = ["\n".join(block["block_content"] for block in page) for page in pages]
    texts = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("page-*.md"))]
    assert len(texts) == len(words)
    assert all(word in text for word, text in zip(words, texts, strict=True))
    assert all(word in content for word, content in zip(words, contents, strict=True))
    pictures = list(tmp_path.glob("imgs/*"))
    shown = {source for text in texts for source in image_sources(text)}
    assert {str(path.relative_to(tmp_path)) for path in pictures} == shown
    drawn = [tmp_path / f"layout_det_res-{number}.jpg" for number in range(len(words))]
    assert all(picture(path.read_bytes()).size for path in [*drawn, *pictures])


def test_the_client_of_the_jdk_offers_http_2_and_is_served(url, command):
    status, body = run(command("java"), url, EXAMPLES / "invoice.png").splitlines()
    assert status == "200"
    assert json.loads(body)["errorCode"] == 0
