"""Pictures of answers as URLs: kept where clients can fetch them, instead of base64 in the answer.

Two stores: a folder that the gateway serves (`local.py`) and S3 (`s3.py`). Without one, answers carry base64.
"""

from docparse.image_store.links import OwnLinks, own_links
from docparse.image_store.opening import open_image_store
from docparse.image_store.publishing import publish_pictures
from docparse.image_store.settings import ImageStoreSettings
from docparse.image_store.store import ImageStore, StoreFailed

__all__ = [
    "ImageStore",
    "ImageStoreSettings",
    "OwnLinks",
    "StoreFailed",
    "open_image_store",
    "own_links",
    "publish_pictures",
]
