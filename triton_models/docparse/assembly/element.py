"""A finished page as JSON: one element of `layoutParsingResults`."""

import logging
from typing import Any

import orjson
import pybase64

from docparse.assembly.exports import export_docx
from docparse.assembly.image_keys import ImageKeys
from docparse.assembly.page import ParsedPage
from docparse.options import ParseOptions

logger = logging.getLogger(__name__)

# Where a page came from is not the client's business; PaddleX's service leaves these out too.
_PRIVATE_KEYS = ("input_path", "page_index")


def render_page(page: ParsedPage, options: ParseOptions, image_keys: ImageKeys) -> bytes:
    """JSON bytes of the page's element; model fields without a value are left out.

    Args:
        page: assembled; its pictures are renamed in place where another page has their names.
        options: of the request.
        image_keys: of the response, shared by its pages.
    """
    make_keys_final(page, image_keys)
    markdown = page.form._to_markdown(  # noqa: SLF001  PaddleX's service calls it too; there is no other way
        pretty=options.prettify_markdown, show_formula_number=options.show_formula_number
    )
    element: dict[str, Any] = {
        "prunedResult": prune(page.form.json["res"]),
        "markdown": {"text": markdown["markdown_texts"]},
    }
    if options.return_markdown_images:
        element["markdown"]["images"] = {
            key: _base64(page.pictures[key]) for key in markdown["markdown_images"]
        }
    if page.input_image is not None:
        element["outputImages"] = {name: _base64(data) for name, data in page.output_images.items()}
        element["inputImage"] = _base64(page.input_image)
    warnings = list(page.warnings)
    if "docx" in options.output_formats:
        try:
            element["exports"] = {"docx": export_docx(page.form, page.pictures)}
        except Exception:  # the boundary of an export: the page itself is sound and goes out
            logger.exception("a page could not be exported")
            warnings.append({"code": "export_failed", "message": "The page could not be written as docx."})
    if warnings:
        element["warnings"] = warnings
    return orjson.dumps(element)


def make_keys_final(page: ParsedPage, image_keys: ImageKeys) -> None:
    """Give the page's pictures names that no other page of the response has, in texts and images together."""
    if page.keys_are_final:
        return
    page.keys_are_final = True
    renamed = image_keys.claim(page.position, page.image_keys)
    if not renamed:
        return
    page.image_keys = [renamed.get(key, key) for key in page.image_keys]
    page.pictures = {renamed.get(key, key): data for key, data in page.pictures.items()}
    for picture in page.form["imgs_in_doc"]:
        picture["path"] = renamed.get(picture["path"], picture["path"])
    for block in page.form["parsing_res_list"]:
        if block.image is not None:
            block.image["path"] = renamed.get(block.image["path"], block.image["path"])
        for old, new in renamed.items():
            block.content = block.content.replace(f'src="{old}"', f'src="{new}"')


def prune(value: Any) -> Any:
    """What a client may see of PaddleX's JSON, at every depth."""
    if isinstance(value, dict):
        return {key: prune(item) for key, item in value.items() if key not in _PRIVATE_KEYS}
    return [prune(item) for item in value] if isinstance(value, list) else value


def _base64(data: bytes) -> str:
    return pybase64.b64encode_as_string(data)
