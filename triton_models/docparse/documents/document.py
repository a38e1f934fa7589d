"""A document being parsed: its spooled bytes, its pages and their pictures on demand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from docparse.documents.page_ranges import select_pages
from docparse.documents.pool import RenderPool
from docparse.documents.spool import spool_file
from docparse.documents.worker import DocumentInfo, RenderTask
from docparse.errors import EmptyDocument, InvalidDocument, PageFailure, TooManyPages
from docparse.protocol import DocumentKind, PageSize
from docparse.scheduling import Owner, Turn
from docparse.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Document:
    """The selected pages of one document; made by `open_document`."""

    def __init__(
        self,
        path: Path,
        kind: DocumentKind,
        info: DocumentInfo,
        *,
        selected: list[int],
        pool: RenderPool,
        settings: Settings,
    ) -> None:
        self._path = path
        self._format = kind
        self._selected = selected
        self._pool = pool
        self._settings = settings
        self.kind: Literal["image", "pdf", "tiff"] = info.kind
        self.total_pages = len(info.pages)
        self.ends_early = info.ends_early
        self.pages: list[PageSize] = [info.pages[index] for index in selected]

    async def render(self, position: int, owner: Owner | None = None) -> "NDArray[np.uint8]":
        """Picture of the selected page at `position`, as HxWx3 uint8 BGR; `owner` is whose turn it takes.

        Raises:
            PageFailure: this page cannot be rendered; others may.
            InvalidDocument: an image's pixels are damaged.
        """
        task = RenderTask(
            self._path,
            self._format,
            self._selected[position],
            self._settings.render_scale,
            self._settings.max_pixels,
            self.pages[position],
        )
        pixels: NDArray[np.uint8] = await self._pool.run(task, Turn(owner or Owner(), position))
        return pixels


@asynccontextmanager
async def open_document(
    data: "bytes | NDArray[np.uint8]",
    kind: DocumentKind,
    page_ranges: str | None,
    pool: RenderPool,
    settings: Settings,
    *,
    owner: Owner | None = None,
) -> AsyncIterator[Document]:
    """Spool `data` to a file that the workers can open, and look at its pages without decoding them.

    `owner` is whose turn it takes.

    Raises:
        EmptyDocument, EncryptedDocument, InvalidDocument, ImageTooLarge: what is wrong with the bytes.
        InvalidOption: `page_ranges` asks for pages that do not exist.
        TooManyPages: more pages than HPS_MAX_PAGES, and no page range asked for fewer.
    """
    if len(data) == 0:
        raise EmptyDocument("`file` is empty.")
    # Made here, not in the thread: a thread that is cancelled goes on, and nobody would know its file.
    with spool_file(settings.spool_dir) as path:
        await asyncio.to_thread(_write, path, data)
        task = RenderTask(path, kind, None, settings.render_scale, settings.max_pixels)
        try:
            info: DocumentInfo = await pool.run(task, Turn(owner or Owner()))
        except PageFailure as error:  # not one page: the document itself cannot be opened
            raise InvalidDocument(f"`file` cannot be opened as {kind.upper()}: {error}") from error
        selected = select_pages(page_ranges, len(info.pages))
        if settings.max_pages and len(selected) > settings.max_pages:
            raise TooManyPages(
                f"The request is for {len(selected)} pages; at most {settings.max_pages} are accepted in one."
                " Ask for fewer with `pageRanges`."
            )
        yield Document(path, kind, info, selected=selected, pool=pool, settings=settings)


def _write(path: Path, data: "bytes | NDArray[np.uint8]") -> None:
    # By its path, which cannot lead to another file when this is cancelled; and not made anew when it is gone by then.
    with path.open("r+b") as file:
        file.write(data if isinstance(data, bytes) else data.data)
