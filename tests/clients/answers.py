"""What clients do with an answer, whatever client it is."""

import base64
import io
import re

from PIL import Image

_IMAGE_SOURCE = re.compile(r'<img[^>]+src="([^"]+)"')


def image_sources(markdown: str) -> list[str]:
    """Paths of the pictures that a Markdown text shows."""
    return _IMAGE_SOURCE.findall(markdown)


def picture(encoded: str | bytes) -> Image.Image:
    """The picture in plain base64 or in bytes, read to its last pixel."""
    content = encoded if isinstance(encoded, bytes) else base64.b64decode(encoded, validate=True)
    image = Image.open(io.BytesIO(content))
    image.load()
    return image
