"""Images out of `data:` URLs."""

import binascii
import io

import cv2
import numpy as np
import PIL.Image
import pybase64

from vlm_server.embedded.errors import BadRequestError
from vlm_server.embedded.models import Image

_MAX_ASPECT_RATIO = 200  # PaddleOCR-VL's image processor refuses more
_MAX_PIXELS = 178_956_970  # PIL's own limit, which vLLM inherits
_MIN_SIDE = 32  # pixels; smaller pictures are padded to it, networks need something to look at


def decode_image(url: str) -> Image:
    """Decode a `data:` URL to BGR pixels, at least 32 a side.

    Raises:
        BadRequestError: another kind of URL (nothing is fetched), bad base64, bytes that are no image,
            more than 178,956,970 pixels, or a side 200 times the other.
    """
    image = _decode(_payload(url))
    height, width = image.shape[:2]
    if max(height, width) > _MAX_ASPECT_RATIO * min(height, width):
        raise BadRequestError(
            f"The image's aspect ratio must be smaller than {_MAX_ASPECT_RATIO}, got {width}x{height}.",
            param="messages",
        )
    return pad_to_minimum(image)


def pad_to_minimum(image: Image) -> Image:
    """Repeat the border pixels of a very small picture until each side has 32 pixels."""
    height, width = image.shape[:2]
    down, right = max(0, _MIN_SIDE - height), max(0, _MIN_SIDE - width)
    if not down and not right:
        return image
    padded: Image = cv2.copyMakeBorder(
        image, down // 2, down - down // 2, right // 2, right - right // 2, cv2.BORDER_REPLICATE
    )
    return padded


def _payload(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not head.startswith("data:"):
        raise BadRequestError("Images must be data: URLs; this server fetches nothing.", param="messages")
    if not comma or not head.endswith(";base64"):
        raise BadRequestError("The image's data: URL must hold base64.", param="messages")
    try:
        return pybase64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("The image's base64 is broken.", param="messages") from error


def _decode(data: bytes) -> Image:
    if not data:
        raise BadRequestError("The image is empty.", param="messages")
    _refuse_too_many_pixels(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV decodes
        raise BadRequestError("The image cannot be decoded.", param="messages") from error
    if image is None:
        raise BadRequestError("The image cannot be decoded.", param="messages")
    decoded: Image = image
    return decoded


def _refuse_too_many_pixels(data: bytes) -> None:
    """Look at the header only: decoding a bomb to measure it would be too late."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as header:
            width, height = header.size
    except (OSError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise BadRequestError("The image cannot be decoded.", param="messages") from error
    if width * height > _MAX_PIXELS:
        raise BadRequestError(f"The image has more than {_MAX_PIXELS} pixels.", param="messages")
