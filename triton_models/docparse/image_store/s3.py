"""Pictures in a bucket of an S3-compatible store. Removing them is the bucket's: give it a lifecycle rule."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from docparse.image_store.settings import ImageStoreSettings
from docparse.image_store.store import StoreFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# Pictures on their way at a time, over all documents; more would only share the same bandwidth.
_MOST_UPLOADS = 32
# A page waits for its pictures, and a client for its page: a store that needs longer is taken for broken.
_PAGE_SECONDS = 30.0
_REQUEST_SECONDS = 10
_CONNECT_SECONDS = 3
_RETRY: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


class S3ImageStore:
    """Uploads pictures; URLs are presigned, or below a public address."""

    def __init__(self, settings: ImageStoreSettings) -> None:
        """Nothing is sent yet: a store that is down at the start costs pages their URLs, not the service its start.

        Raises:
            StoreFailed: the settings cannot be right.
        """
        self._prefix = settings.image_store_s3_prefix
        self._public_url = settings.image_store_s3_public_url
        self._url_life = timedelta(seconds=settings.image_url_seconds)
        self._attributes = {
            "Content-Type": "image/jpeg",
            "Cache-Control": f"private, max-age={settings.image_url_seconds}",
        }
        endpoint = settings.image_store_s3_endpoint
        try:
            self._store = _connect(settings, endpoint)
            # A presigned URL holds for the host that it was signed for.
            self._signer = _connect(settings, settings.image_store_s3_client_endpoint or endpoint)
        except (BaseError, ValueError) as error:
            raise StoreFailed(f"HPS_IMAGE_STORE=s3: {_first_line(error)}") from error
        self._uploads = asyncio.Semaphore(_MOST_UPLOADS)

    async def keep(self, pictures: Sequence[bytes]) -> list[str]:
        """See `ImageStore`."""
        try:
            async with asyncio.timeout(_PAGE_SECONDS), asyncio.TaskGroup() as group:
                uploads = [group.create_task(self._keep_one(picture)) for picture in pictures]
        except TimeoutError as error:
            raise StoreFailed(f"not stored within {_PAGE_SECONDS:.0f} s") from error
        except ExceptionGroup as failures:
            raise StoreFailed(_first_line(failures.exceptions[0])) from failures
        return [upload.result() for upload in uploads]

    def close(self) -> None:
        """See `ImageStore`."""

    async def _keep_one(self, picture: bytes) -> str:
        key = f"{self._prefix}{secrets.token_hex(16)}.jpg"
        async with self._uploads:
            # Not a conditional PUT: not every store has it, and these names never meet.
            await obstore.put_async(
                self._store, key, picture, attributes=self._attributes, use_multipart=False
            )
        if self._public_url is not None:
            return f"{self._public_url}/{quote(key)}"
        return await obstore.sign_async(self._signer, "GET", key, self._url_life)


def _connect(settings: ImageStoreSettings, endpoint: str | None) -> S3Store:
    bucket = str(settings.image_store_s3_bucket)
    virtual = settings.image_store_s3_url_style == "virtual-host"
    options: dict[str, Any] = {
        "region": settings.image_store_s3_region,
        "virtual_hosted_style_request": virtual,
    }
    client: ClientConfig = {
        "timeout": timedelta(seconds=_REQUEST_SECONDS),
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
    }
    if endpoint is not None:
        parts = urlsplit(endpoint)
        options["endpoint"] = (
            parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl() if virtual else endpoint
        )
        client["allow_http"] = parts.scheme == "http"
    if settings.image_store_s3_secret_access_key is not None:
        options["access_key_id"] = settings.image_store_s3_access_key_id
        options["secret_access_key"] = settings.image_store_s3_secret_access_key.get_secret_value()
    return S3Store(bucket, client_options=client, retry_config=_RETRY, **options)


def _first_line(error: BaseException) -> str:
    """What happened; further lines of the client's errors repeat it at length."""
    return str(error).partition("\n")[0]
