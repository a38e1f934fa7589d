"""A page, or pages joined into one, as a Word document."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pybase64

from docparse import paddlex_forms
from docparse.assembly.texts import MAX_TABLE_CELLS


def export_docx(form: Any, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """The entry `docx` of `exports`: base64 `content` and `fileName`.

    Args:
        form: the page as PaddleX's result class; the pictures of its blocks are set in place.
        pictures: JPEG or PNG by image key; a picture that is not here is left out of the document.

    Raises:
        ValueError: a table is too large for Word.
    """
    for block in form["parsing_res_list"]:
        if block.label in ("table", "chart") and _grid_cells(block.content) > MAX_TABLE_CELLS:
            raise ValueError("a table has too many cells for a Word document")
        if block.image is not None:
            block.image["img"] = _file(pictures, block.image["path"])
    for picture in form["imgs_in_doc"]:
        picture["img"] = _file(pictures, picture["path"])
    with tempfile.TemporaryDirectory(prefix="hps-docx-") as folder:
        path = paddlex_forms.write_docx(form, Path(folder))
        return {"content": pybase64.b64encode_as_string(path.read_bytes()), "fileName": path.name}


def _file(pictures: Mapping[str, bytes], key: str) -> paddlex_forms.JpegFile | None:
    data = pictures.get(key)
    return None if data is None else paddlex_forms.JpegFile(data)


def _grid_cells(content: str) -> int:
    """Cells of the full grid that Word will hold: rows times the longest row."""
    rows = content.split("<tr") if "<table" in content else content.split("\n")
    longest = max(row.count("<td") + row.count("<th") + row.count("|") + row.count("\t") for row in rows)
    return len(rows) * (longest + 1)
