"""From a document's bytes to page pictures: opened and rendered in worker processes, page by page."""

from docparse.documents.document import Document, open_document
from docparse.documents.pool import RenderPool
from docparse.documents.spool import sweep

__all__ = ["Document", "RenderPool", "open_document", "sweep"]
