"""The wire between the `layout-parsing` and `document-preprocessing` models: JSON beside the pictures."""

import orjson

from docparse.errors import PageFailure
from docparse.preprocessing.page import PreprocessingOptions

# As in `layout.wire`: not an error of Triton's.
PAGE_FAILED = b'{"failed":true}'


def encode_preprocessing_options(options: PreprocessingOptions) -> bytes:
    """JSON of the options."""
    return orjson.dumps(options)


def decode_preprocessing_options(raw: bytes) -> PreprocessingOptions:
    """What `encode_preprocessing_options` wrote."""
    return PreprocessingOptions(**orjson.loads(raw))


def encode_angle(angle: int) -> bytes:
    """JSON of what was found about a page."""
    return orjson.dumps({"angle": angle})


def decode_angle(raw: bytes) -> int:
    """What `encode_angle` wrote.

    Raises:
        PageFailure: `PAGE_FAILED` is there instead.
    """
    if raw == PAGE_FAILED:
        raise PageFailure("This page could not be preprocessed.")
    return int(orjson.loads(raw)["angle"])
