"""URLs of the local store. `gateway/services/images.py` reads them; a golden file holds both together."""

import hmac

# Pictures that expire within the same ten minutes share a folder, which is removed as a whole.
FOLDER_SECONDS = 600


def picture_name(expires: int, token: str) -> str:
    """Name of a picture: when its folder may go, in unix seconds, and 32 random hexadecimal digits."""
    return f"{(expires // FOLDER_SECONDS + 1) * FOLDER_SECONDS}-{token}.jpg"


def picture_path(name: str) -> str:
    """Where a picture lies under the store's folder."""
    return f"{name.partition('-')[0]}/{name}"


def sign(secret: bytes, name: str, expires: int) -> str:
    """HMAC-SHA256 over name and expiry, in hexadecimal."""
    return hmac.digest(secret, f"{name}\n{expires}".encode(), "sha256").hex()


def signed_url(base_url: str, secret: bytes, name: str, expires: int) -> str:
    """The URL that shows a picture until `expires` (unix seconds)."""
    return f"{base_url}/images/{name}?expires={expires}&signature={sign(secret, name, expires)}"
