"""Pages that were parsed before, made one document: from the JSON of their elements to that of new ones."""

from docparse.restructuring.result import restructure_pages

__all__ = ["restructure_pages"]
