"""Pages in, the JSON of `result` out."""

import logging
from collections.abc import Sequence
from typing import Any

import orjson
import pybase64

from docparse.assembly.element import prune
from docparse.assembly.exports import export_docx
from docparse.assembly.pictures import encode_again_for_word
from docparse.assembly.restructuring import relate_pages
from docparse.image_store import OwnLinks
from docparse.restructuring.pages import Page, build_pages, join_pages
from docparse.restructuring.request import RestructureOptions, read_options, read_pages

logger = logging.getLogger(__name__)

_TAKEN_BY_WORD = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_PICTURE_SIGNATURES = (*_TAKEN_BY_WORD, b"BM", b"RIFF")


def restructure_pages(pages: Sequence[object], options: object, links: OwnLinks | None = None) -> bytes:
    """JSON bytes of `result`: `{"layoutParsingResults": [...]}`.

    Args:
        pages: `{"prunedResult", "markdownImages"?}` each, as /layout-parsing answered them.
        options: fields of `RestructureOptions`.
        links: of the service itself, whose pictures can go into a docx.

    Raises:
        InvalidPages, InvalidOption: the message names the field.
    """
    asked = read_options(options)
    built = build_pages(read_pages(pages))
    warnings = relate_pages(
        [page.blocks for page in built], merge_tables=asked.merge_tables, relevel_titles=asked.relevel_titles
    )
    if built and asked.concatenate_pages:
        built = [join_pages(built)]
    elements = [_render(page, asked, [] if number else warnings, links) for number, page in enumerate(built)]
    return orjson.dumps({"layoutParsingResults": elements})


def _render(
    page: Page, options: RestructureOptions, warnings: list[dict[str, Any]], links: OwnLinks | None
) -> dict[str, Any]:
    markdown = page.form._to_markdown(  # noqa: SLF001  PaddleX's service calls it too; there is no other way
        pretty=options.prettify_markdown, show_formula_number=options.show_formula_number
    )
    element: dict[str, Any] = {
        "prunedResult": _pruned_result(page),
        "markdown": {"text": markdown["markdown_texts"]},
    }
    if options.return_markdown_images:
        element["markdown"]["images"] = page.pictures
    if "docx" in (options.output_formats or ()):
        _add_docx(element, page, warnings, links)
    if warnings:
        element["warnings"] = warnings
    return element


def _pruned_result(page: Page) -> dict[str, Any]:
    pruned: dict[str, Any] = prune(page.form.json["res"])
    for name in ("layout_det_res", "doc_preprocessor_res"):
        if name in pruned and pruned[name] is None:
            del pruned[name]  # it did not come, so it does not go
    for block, fields in zip(pruned["parsing_res_list"], page.extra_fields, strict=True):
        block.update(fields)
    return pruned


def _add_docx(
    element: dict[str, Any], page: Page, warnings: list[dict[str, Any]], links: OwnLinks | None
) -> None:
    decoded = {key: _find_picture(picture, links) for key, picture in page.pictures.items()}
    encoded = {key: encode_again_for_word(data) for key, data in decoded.items() if data is not None}
    pictures = {key: data for key, data in encoded.items() if data.startswith(_TAKEN_BY_WORD)}
    if left_out := len(decoded) - len(pictures):
        warnings.append(
            {
                "code": "pictures_not_exported",
                "message": f"{left_out} of the pictures are not in the docx: they are neither base64 of a picture "
                "as this service sends them nor links of this service that are still good.",
            }
        )
    for index, key in page.header_pictures.items():
        page.blocks[index].image = {"path": key, "img": None}
    own = {block.image["path"] for block in page.blocks if block.image is not None}
    page.form["imgs_in_doc"] = [{"path": key, "img": None} for key in pictures if key not in own]
    try:
        element["exports"] = {"docx": export_docx(page.form, pictures)}
    except Exception:  # the boundary of an export: the page itself is sound and goes out
        logger.exception("a page could not be exported")
        warnings.append({"code": "export_failed", "message": "The page could not be written as docx."})


def _find_picture(text: str, links: OwnLinks | None) -> bytes | None:
    """Bytes of a picture in base64, plain or as a data: URL, or behind a link of ours; None for anything else.

    Other URLs are not visited.
    """
    data = links.picture(text) if links is not None else None
    if data is None:
        if text.startswith("data:"):
            text = text.partition(",")[2]
        try:
            data = pybase64.b64decode(text)
        except ValueError:
            return None
    return data if data.startswith(_PICTURE_SIGNATURES) else None
