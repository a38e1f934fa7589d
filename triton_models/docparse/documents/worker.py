"""The render worker: what runs in each process of the pool."""

import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2

from docparse.documents.images import decode_frame, ends_early, inspect_image
from docparse.documents.pdf import PdfReader
from docparse.errors import DocparseError, InvalidDocument, PageFailure
from docparse.page_memory import BadReference, MakeRoom, PageReference, open_room, own_room
from docparse.protocol import DocumentKind, PageSize

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RenderTask:
    """One call to a worker: `index` None asks for the page sizes, a number for that page's picture.

    Attributes:
        size: that the picture will have, where it is known; the pool gives memory for it then.
        room: that memory, as a file of another process.
    """

    path: Path
    kind: DocumentKind
    index: int | None
    scale: float
    max_pixels: int
    size: PageSize | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer for a picture that lies in the task's memory."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What a document is, without a pixel decoded; `ends_early` when a part of the picture is missing."""

    kind: Literal["image", "pdf", "tiff"]
    pages: list[PageSize]
    ends_early: bool = False


def serve_tasks(connection: Connection) -> None:
    """Say that it is ready, then answer tasks until the other end closes; an answer is a result or an error."""
    # Ctrl+C reaches the whole process group; the pool decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setLogLevel(0)  # what is wrong with a document is said to its client, not in the log
    reader = PdfReader()
    connection.send(None)
    while True:
        try:
            task: RenderTask = connection.recv()
        except EOFError:
            reader.close()
            return
        answer: object
        try:
            answer = run_task(task, reader)
        except (DocparseError, PageFailure) as error:
            answer = error
        except Exception as error:  # noqa: BLE001  the boundary of this process: a document must not end it
            answer = InvalidDocument(f"`file` cannot be read: {type(error).__name__}.")
        connection.send(answer)


def run_task(task: RenderTask, reader: PdfReader) -> "DocumentInfo | Placed | NDArray[np.uint8]":
    """Inspect or render, by the task's `index`.

    Raises:
        DocparseError, PageFailure: see `PdfReader` and `documents.images`.
    """
    if task.index is None:
        return _inspect(task, reader)
    shared: list[NDArray[np.uint8]] = []

    def make_room(height: int, width: int) -> "NDArray[np.uint8]":
        if task.room is None:
            return own_room(height, width)
        try:
            shared.append(open_room(PageReference(task.room, height, width)))
        except BadReference:  # it has another size than was thought, or this system keeps processes apart
            return own_room(height, width)
        return shared[-1]

    pixels = _render(task, task.index, reader, make_room)
    return Placed(*pixels.shape[:2]) if shared else pixels


def _inspect(task: RenderTask, reader: PdfReader) -> DocumentInfo:
    if task.kind == "pdf":
        return DocumentInfo("pdf", reader.inspect(task.path, task.scale, task.max_pixels))
    pages = inspect_image(task.path, task.kind, task.max_pixels)
    # A TIFF of one frame is an image to clients, of several a paged document.
    cut = task.kind == "jpeg" and ends_early(task.path)
    return DocumentInfo("tiff" if len(pages) > 1 else "image", pages, cut)


def _render(task: RenderTask, index: int, reader: PdfReader, make_room: MakeRoom) -> "NDArray[np.uint8]":
    if task.kind == "pdf":
        return reader.render(task.path, index, task.scale, task.max_pixels, make_room)
    return decode_frame(task.path, task.kind, index, task.max_pixels, make_room)
