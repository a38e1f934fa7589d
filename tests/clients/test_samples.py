"""Requests like those of PaddleOCR's documentation, in the languages that are installed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.answers import image_sources, picture
from tests.clients.conftest import EXAMPLES, PROGRAM_SECONDS

SAMPLES = Path(__file__).parent / "samples"
LANGUAGES = {
    "python": (sys.executable, "parse.py"),
    "curl": ("bash", "parse.sh"),
    "node": ("node", "parse.mjs"),
}


def run(command: str, program: str, *arguments: object) -> str:
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    done = subprocess.run(
        [command, SAMPLES / program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("file", "words"), [("paper.pdf", ["Garden Pond", "", ""]), ("chinese.png", ["青禾社区图书馆"])]
)
def test_file_and_file_type_alone_give_texts_pictures_and_drawn_regions(url, tmp_path, language, file, words):
    if language == "curl" and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    run(*LANGUAGES[language], url, EXAMPLES / file, int(not file.endswith(".pdf")), tmp_path)
    texts = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("page-*.md"))]
    assert len(texts) == len(words)
    assert all(word in text for word, text in zip(words, texts, strict=True))
    pictures = list(tmp_path.glob("imgs/*"))
    shown = {source for text in texts for source in image_sources(text)}
    assert {str(path.relative_to(tmp_path)) for path in pictures} == shown
    drawn = [tmp_path / f"layout_det_res-{number}.jpg" for number in range(len(words))]
    assert all(picture(path.read_bytes()).size for path in [*drawn, *pictures])


def test_the_client_of_the_jdk_offers_http_2_and_is_served(url):
    status, body = run("java", "Parse.java", url, EXAMPLES / "invoice.png").splitlines()
    assert status == "200"
    assert json.loads(body)["errorCode"] == 0
