"""The store that the settings ask for."""

from docparse.image_store.local import LocalStore
from docparse.image_store.settings import ImageStoreSettings
from docparse.image_store.store import ImageStore, StoreFailed


def open_image_store(settings: ImageStoreSettings) -> ImageStore | None:
    """The store; None when answers carry their pictures themselves.

    Raises:
        StoreFailed: it cannot be opened; the message names the variable.
    """
    if settings.image_store == "local":
        assert settings.image_store_dir is not None  # noqa: S101 - checked with the settings
        assert settings.image_store_secret is not None  # noqa: S101
        return LocalStore(
            settings.image_store_dir,
            base_url=settings.base_url,
            secret=settings.image_store_secret.get_secret_value().encode(),
            url_seconds=settings.image_url_seconds,
        )
    if settings.image_store == "s3":
        try:
            # Its client is installed only where it is used.
            from docparse.image_store.s3 import S3ImageStore  # noqa: PLC0415
        except ModuleNotFoundError as error:
            if error.name != "obstore":
                raise
            raise StoreFailed(
                "HPS_IMAGE_STORE=s3 needs the package obstore: install requirements/image-store-s3.txt"
            ) from error
        return S3ImageStore(settings)
    return None
