"""A page of the request in PaddleX's form, its pictures under names that no other page has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docparse import paddlex_forms
from docparse.assembly.block_recognition import FIELD
from docparse.assembly.image_keys import ImageKeys
from docparse.restructuring.naming import mentioned_keys, name_pictures
from docparse.restructuring.request import GivenBlock, GivenPage

# The level that an earlier formatting gave to a title; it is found anew. Source: PaddleX's pipeline.
_TITLE_MARK = re.compile(r"^#+\s")

_HEADER_PICTURES = ("header_image", "footer_image")


@dataclass(slots=True)
class Page:
    """A page, or several joined into one.

    Attributes:
        form: as PaddleX's own result class.
        pictures: what the client has for each, by image key.
        header_pictures: image keys of headers and footers, by the index of their block. PaddleX shows them in
            the Word document, but not in the Markdown of restructured pages.
        extra_fields: of each block, what PaddleX does not know: how it was read.
    """

    form: Any
    pictures: dict[str, str]
    header_pictures: dict[int, str]
    extra_fields: list[Mapping[str, Any]]

    @property
    def blocks(self) -> list[Any]:
        """PaddleX's blocks."""
        blocks: list[Any] = self.form["parsing_res_list"]
        return blocks


def build_pages(given: Sequence[GivenPage]) -> list[Page]:
    """The pages of a request, ready to be restructured."""
    pages = [_build_page(position, page) for position, page in enumerate(given)]
    _make_names_unique(pages)
    return pages


def _build_page(position: int, given: GivenPage) -> Page:
    result = given.prunedResult
    pictures = dict(given.markdownImages or {})
    settings = {
        "use_doc_preprocessor": False,
        "use_layout_detection": result.layout_det_res is not None,
        **result.model_settings,
    }
    settings["markdown_ignore_labels"] = settings.get("markdown_ignore_labels") or []
    labels = ["image", "seal"] if settings.get("use_chart_recognition") else ["image", "seal", "chart"]
    names = name_pictures(result.parsing_res_list, [*labels, *_HEADER_PICTURES], pictures, position)
    blocks = [_build_block(block) for block in result.parsing_res_list]
    header_pictures = {}
    for index, name in names.items():
        if blocks[index].label not in _HEADER_PICTURES:
            blocks[index].image = {"path": name, "img": None}
        elif name in pictures:
            header_pictures[index] = name
    form = paddlex_forms.PageForm(
        {
            "input_path": "",
            "page_index": position,
            "page_count": result.page_count,
            "width": result.width,
            "height": result.height,
            "model_settings": settings,
            "layout_det_res": result.layout_det_res,
            "doc_preprocessor_res": result.doc_preprocessor_res,
            "parsing_res_list": blocks,
            "spotting_res": result.spotting_res,
            "imgs_in_doc": [],
        }
    )
    return Page(form, pictures, header_pictures, [_extra_fields(block) for block in result.parsing_res_list])


def _build_block(given: GivenBlock) -> Any:
    return paddlex_forms.Block(
        label=given.block_label,
        bbox=given.block_bbox,
        content=_TITLE_MARK.sub("", given.block_content),
        group_id=given.group_id,
        polygon_points=given.block_polygon_points,
    )


def _extra_fields(given: GivenBlock) -> Mapping[str, Any]:
    return {} if given.block_recognition is None else {FIELD: given.block_recognition}


def _make_names_unique(pages: Sequence[Page]) -> None:
    """Rename pictures whose name an earlier page has, in texts and pictures together."""
    delivered = {key for page in pages for key in page.pictures}
    keys_by_page = [_keys_of(page, delivered) for page in pages]
    keys = ImageKeys()
    for position, own in enumerate(keys_by_page):
        keys.announce(position, own)
    for position, (page, own) in enumerate(zip(pages, keys_by_page, strict=True)):
        if renamed := keys.claim(position, own):
            _rename(page, renamed)


def _keys_of(page: Page, delivered: set[str]) -> list[str]:
    """The keys that are this page's; a table that was merged may also show pictures of the next page."""
    own = list(page.pictures)
    for block in page.blocks:
        if block.image is not None:
            own.append(block.image["path"])
        own += [key for key in mentioned_keys(block.content) if key not in delivered]
    return list(dict.fromkeys(own))


def _rename(page: Page, renamed: Mapping[str, str]) -> None:
    page.pictures = {renamed.get(key, key): picture for key, picture in page.pictures.items()}
    page.header_pictures = {index: renamed.get(key, key) for index, key in page.header_pictures.items()}
    for block in page.blocks:
        if block.image is not None:
            block.image["path"] = renamed.get(block.image["path"], block.image["path"])
        for key in mentioned_keys(block.content):
            if key in renamed:
                block.content = block.content.replace(f'src="{key}"', f'src="{renamed[key]}"')


def join_pages(pages: Sequence[Page]) -> Page:
    """All blocks and pictures as one page: the first, as far as a page can have only one of a thing.

    Args:
        pages: one at least; the first is changed in place.
    """
    blocks: list[Any] = []
    header_pictures = {}
    for position, page in enumerate(pages):
        header_pictures.update({len(blocks) + index: key for index, key in page.header_pictures.items()})
        for block in page.blocks:
            block.page_index = position
            blocks.append(block)
    form = pages[0].form
    for name in ("layout_det_res", "doc_preprocessor_res"):
        details = [page.form[name] for page in pages]
        form[name] = None if all(detail is None for detail in details) else details
    form["parsing_res_list"] = blocks
    form["page_index"] = None
    form["page_count"] = len(pages)
    pictures = {key: picture for page in pages for key, picture in page.pictures.items()}
    return Page(form, pictures, header_pictures, [fields for page in pages for fields in page.extra_fields])
