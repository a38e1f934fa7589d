"""Opening and rendering of PDF files with PDFium, which is not thread-safe: one thread of one process."""

import ctypes
import math
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from docparse.errors import EmptyDocument, EncryptedDocument, InvalidDocument, PageFailure
from docparse.page_memory import MakeRoom, own_room
from docparse.protocol import PageSize

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Below this a page is unreadable anyway; PaddleX stops there too (utils/flags.py, PDF_MIN_RENDER_SCALE).
MIN_RENDER_SCALE = 0.1

# As many as PaddleX makes.
_BISECTIONS = 32

# Open documents per process: a worker alternates between a few long documents; opening costs a parse of
# the cross-reference table, an open one costs its parsed objects.
_OPEN_DOCUMENTS = 2

# Stands in for the size of a page that is broken or too large, in points; the page's own event says so.
_A4 = (595, 842)


class PdfReader:
    """Opens PDF files by path and keeps the last few open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, Any] = OrderedDict()

    def inspect(self, path: Path, scale: float, max_pixels: int) -> list[PageSize]:
        """Rendered size of every page, without rendering.

        Raises:
            EncryptedDocument: it needs a password.
            EmptyDocument: it has no pages.
            InvalidDocument: PDFium cannot open it.
        """
        document = self._document(path)
        if len(document) == 0:
            raise EmptyDocument("`file` is a PDF without pages.")
        return [self._rendered_size(document, index, scale, max_pixels) for index in range(len(document))]

    def render(
        self, path: Path, index: int, scale: float, max_pixels: int, make_room: MakeRoom = own_room
    ) -> "NDArray[np.uint8]":
        """One page with its form fields, as HxWx3 uint8 BGR, in what `make_room` gives for it.

        Raises:
            PageFailure: PDFium cannot load or draw this page.
        """
        document = self._document(path)
        try:
            page = document[index]
            try:
                width, height = page.get_size()
                bitmap = page.render(scale=fit_scale(width, height, scale, max_pixels))
                # A copy: the bitmap's memory is PDFium's and goes with it.
                pixels = make_room(bitmap.height, bitmap.width)
                np.copyto(pixels, bitmap.to_numpy()[:, :, :3])
                bitmap.close()
            finally:
                page.close()
        except (pdfium.PdfiumError, ctypes.ArgumentError, ValueError) as error:
            raise PageFailure(f"Page {index + 1} of the PDF cannot be rendered.") from error
        return pixels

    def close(self) -> None:
        """Close every open document."""
        while self._open:
            self._open.popitem()[1].close()

    def _document(self, path: Path) -> Any:
        document = self._open.pop(path, None) or _open_pdf(path)
        self._open[path] = document
        while len(self._open) > _OPEN_DOCUMENTS:
            self._open.popitem(last=False)[1].close()
        return document

    def _rendered_size(self, document: Any, index: int, scale: float, max_pixels: int) -> PageSize:
        try:
            width, height = document.get_page_size(index)
            fitted = fit_scale(width, height, scale, max_pixels)
        except (pdfium.PdfiumError, PageFailure):
            width, height = _A4
            fitted = fit_scale(width, height, scale, max_pixels)
        return PageSize(max(1, math.ceil(width * fitted)), max(1, math.ceil(height * fitted)))


def fit_scale(width: float, height: float, scale: float, max_pixels: int) -> float:
    """The largest scale up to `scale`, in pixels per point, that keeps a page within `max_pixels`.

    Source: `get_pdf_render_scale_within_pixel_limit` of PaddleX, for pages of the same size to the pixel.

    Raises:
        PageFailure: even `MIN_RENDER_SCALE` is too large.
    """

    def fits(tried: float) -> bool:
        return math.ceil(width * tried) * math.ceil(height * tried) <= max_pixels

    if fits(scale):
        return scale
    if scale <= MIN_RENDER_SCALE or not fits(MIN_RENDER_SCALE):
        raise PageFailure(f"A page of {width:.0f} x {height:.0f} points is too large to render.")
    fitting, too_large = MIN_RENDER_SCALE, min(scale, math.sqrt(max_pixels / (width * height)))
    for _ in range(_BISECTIONS):
        middle = (fitting + too_large) / 2
        fitting, too_large = (middle, too_large) if fits(middle) else (fitting, middle)
    return fitting


def _open_pdf(path: Path) -> Any:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
            raise EncryptedDocument("`file` is an encrypted PDF; send it without its password.") from error
        raise InvalidDocument("`file` is a damaged or truncated PDF that cannot be opened.") from error
    document.init_forms()
    return document
