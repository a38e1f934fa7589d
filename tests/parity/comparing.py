"""Two answers, compared whole. What may differ in any answer is in `DIFFERENCES`, and nowhere else."""

import base64
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import httpx
from PIL import Image

from tests.docparse.paddlex_oracle import drop_additions

Answer = dict[str, Any]


def _document_facts(ours: Answer, theirs: Answer) -> None:
    """A client learns whether it got all pages, and how boxes relate to points."""
    for name in ("totalPages", "renderScale"):
        assert name not in theirs["result"]["dataInfo"]
        ours["result"]["dataInfo"].pop(name, None)


def _drawings(ours: Answer, theirs: Answer) -> None:
    """Ours are drawn without a font that would have to be fetched: the same names and sizes, other strokes."""
    for answer in (ours, theirs):
        for element in answer["result"]["layoutParsingResults"]:
            drawn = element.get("outputImages", {})
            drawn.update({name: Image.open(io.BytesIO(base64.b64decode(drawn[name]))).size for name in drawn})


def _how_blocks_were_read(ours: Answer, theirs: Answer) -> None:
    """A block says how it was read, so that a client can tell a doubtful text from a sound one."""
    for element in ours["result"]["layoutParsingResults"]:
        drop_additions(element)


def _open_word_documents(answer: Answer) -> None:
    """Named by the clock on both sides; of the archive, what says and shows something is compared."""
    for element in answer["result"]["layoutParsingResults"]:
        if "exports" in element:
            (word,) = element["exports"].values()
            word["fileName"] = re.sub(r"\d+", "0", word["fileName"])
            word["content"] = word_parts(word["content"])


DIFFERENCES: dict[str, Callable[[Answer, Answer], None]] = {
    "the document's page count and render scale": _document_facts,
    "strokes and letters of drawings": _drawings,
    "how each block was read": _how_blocks_were_read,
}


def assert_same(ours: httpx.Response, theirs: httpx.Response) -> Answer:
    """Both answered 200 with the same JSON, but for `DIFFERENCES`; returns ours, without them."""
    our_answer, their_answer = even(ours, theirs)
    assert our_answer == their_answer
    # 800 and 800.0 are one number here, and two kinds of it to a client.
    assert json.dumps(our_answer, sort_keys=True) == json.dumps(their_answer, sort_keys=True)
    return our_answer


def even(ours: httpx.Response, theirs: httpx.Response, *, but: str | None = None) -> tuple[Answer, Answer]:
    """Both answers without `DIFFERENCES`, those of one name excepted."""
    assert (ours.status_code, theirs.status_code) == (200, 200), (ours.text[:2000], theirs.text[:2000])
    our_answer, their_answer = ours.json(), theirs.json()
    _open_word_documents(our_answer)
    _open_word_documents(their_answer)
    for name, even_out in DIFFERENCES.items():
        if name != but:
            even_out(our_answer, their_answer)
    return fold(our_answer), fold(their_answer)


def fold(value: Any) -> Any:
    """Long texts, such as pictures, by length and checksum: a failure stays readable."""
    if isinstance(value, dict):
        return {key: fold(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fold(item) for item in value]
    if isinstance(value, str) and len(value) > 2000:
        return f"{len(value)} characters, {zlib.crc32(value.encode()):08x}"
    return value


def word_parts(content: str) -> dict[str, Any]:
    """What a Word document says and shows; the rest of it is python-docx's template."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(content))) as archive:
        names = sorted(archive.namelist())
        return {
            "names": names,
            "document": archive.read("word/document.xml").decode(),
            "links": archive.read("word/_rels/document.xml.rels").decode(),
            "pictures": [zlib.crc32(archive.read(name)) for name in names if "/media/" in name],
        }
