"""The pictures of a finished page, put into the store, or else into the answer."""

import asyncio
import logging
from typing import TYPE_CHECKING

from docparse.image_store.store import ImageStore, StoreFailed

if TYPE_CHECKING:
    from docparse.assembly import PageElement  # it loads PaddleX, and some only want this package's settings

logger = logging.getLogger(__name__)


async def publish_pictures(element: "PageElement", store: ImageStore) -> None:
    """Give the element URLs for its pictures.

    When the store fails, all pictures of the page are `data:` URLs and the page has a warning: a client that was
    promised URLs still gets URLs, and no picture is lost.
    """
    try:
        urls = await store.keep(element.pictures)
    except StoreFailed as failure:
        logger.warning("pictures were not stored: %s", failure)
    except Exception:  # the boundary of the store: whatever it does, the page is sound and goes out
        logger.exception("pictures were not stored")
    else:
        element.show_pictures(urls)
        return
    await asyncio.to_thread(element.show_pictures_inline)
    element.add_warning(
        "images_not_stored", "The images of this page could not be stored; they are data: URLs in the answer."
    )
