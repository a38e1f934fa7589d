"""A finished page as JSON: one element of `layoutParsingResults`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pybase64

from docparse.assembly.block_recognition import tell_recognitions
from docparse.assembly.exports import export_docx
from docparse.assembly.image_keys import ImageKeys
from docparse.assembly.page import ParsedPage
from docparse.options import ParseOptions

logger = logging.getLogger(__name__)

# Where a page came from is not the client's business; PaddleX's service leaves these out too.
_PRIVATE_KEYS = ("input_path", "page_index")


@dataclass(slots=True)
class PageElement:
    """An element of `layoutParsingResults` whose pictures are still bytes, to be shown as text in one form or another.

    Attributes:
        fields: as in the answer, but for the pictures: JPEGs, until they are shown.
    """

    fields: dict[str, Any]

    @property
    def pictures(self) -> list[bytes]:
        """JPEGs of the page, each as often as the answer shows it."""
        return [folder[name] for folder, name in self._places()]

    def show_pictures(self, texts: Sequence[str]) -> None:
        """Put these texts, such as URLs, into the places of `pictures`."""
        for (folder, name), text in zip(self._places(), texts, strict=True):
            folder[name] = text

    def show_pictures_inline(self) -> None:
        """Put the pictures themselves into their places, as URLs."""
        self.show_pictures([f"data:image/jpeg;base64,{_base64(picture)}" for picture in self.pictures])

    def add_warning(self, code: str, message: str) -> None:
        """Tell the reader of the page."""
        self.fields.setdefault("warnings", []).append({"code": code, "message": message})

    def to_json(self) -> bytes:
        """The element; pictures that have no text yet are base64."""
        return orjson.dumps(self.fields, default=_picture_text)

    def _places(self) -> list[tuple[dict[str, Any], str]]:
        folders = (self.fields["markdown"].get("images", {}), self.fields.get("outputImages", {}))
        places = [(folder, name) for folder in folders for name in folder]
        if "inputImage" in self.fields:
            places.append((self.fields, "inputImage"))
        return places


def render_page(page: ParsedPage, options: ParseOptions, image_keys: ImageKeys) -> bytes:
    """JSON bytes of the page's element, its pictures in base64. See `build_element`."""
    return build_element(page, options, image_keys).to_json()


def build_element(page: ParsedPage, options: ParseOptions, image_keys: ImageKeys) -> PageElement:
    """The page's element; model fields without a value are left out.

    Args:
        page: assembled; its pictures are renamed in place where another page has their names.
        options: of the request.
        image_keys: of the response, shared by its pages.
    """
    make_keys_final(page, image_keys)
    markdown = page.form._to_markdown(  # noqa: SLF001  PaddleX's service calls it too; there is no other way
        pretty=options.prettify_markdown, show_formula_number=options.show_formula_number
    )
    pruned: dict[str, Any] = prune(page.form.json["res"])
    tell_recognitions(pruned, page.form["parsing_res_list"])
    fields: dict[str, Any] = {"prunedResult": pruned, "markdown": {"text": markdown["markdown_texts"]}}
    if options.return_markdown_images:
        fields["markdown"]["images"] = {key: page.pictures[key] for key in markdown["markdown_images"]}
    if page.input_image is not None:
        fields["outputImages"] = dict(page.output_images)
        fields["inputImage"] = page.input_image
    if page.warnings:
        fields["warnings"] = list(page.warnings)
    element = PageElement(fields)
    if "docx" in options.output_formats:
        try:
            fields["exports"] = {"docx": export_docx(page.form, page.word_pictures)}
        except Exception:  # the boundary of an export: the page itself is sound and goes out
            logger.exception("a page could not be exported")
            element.add_warning("export_failed", "The page could not be written as docx.")
    return element


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
    page.word_pictures = {renamed.get(key, key): data for key, data in page.word_pictures.items()}
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


def _picture_text(value: object) -> str:
    """What orjson asks for values that are no JSON."""
    if isinstance(value, bytes):
        return _base64(value)
    raise TypeError(f"{type(value).__name__} in a page's element")


def _base64(data: bytes) -> str:
    return pybase64.b64encode_as_string(data)
