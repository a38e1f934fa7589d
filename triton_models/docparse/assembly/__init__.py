"""From recognised regions to a finished element of `layoutParsingResults`."""

from docparse.assembly.element import PageElement, build_element, render_page
from docparse.assembly.image_keys import ImageKeys
from docparse.assembly.page import ParsedPage, assemble_page, encode_pictures
from docparse.assembly.page_order import PageOrder
from docparse.assembly.restructuring import restructure

__all__ = [
    "ImageKeys",
    "PageElement",
    "PageOrder",
    "ParsedPage",
    "assemble_page",
    "build_element",
    "encode_pictures",
    "render_page",
    "restructure",
]
