"""A page that would have too many pixels is rendered in the size in which PaddleX renders it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paddlex.inference.utils.pdf_rendering import (
    PDFRenderSizeError,
    get_pdf_render_scale_within_pixel_limit,
)

from docparse.documents.pdf import MIN_RENDER_SCALE, fit_scale
from docparse.errors import PageFailure

MAX_PIXELS = 178_956_970


@given(st.floats(0.5, 200_000), st.floats(0.5, 200_000), st.sampled_from([1.0, 2.0, 8.0]))
@example(7000, 7000, 2.0)
def test_the_scale_is_paddlexs(width, height, scale):
    try:
        theirs = get_pdf_render_scale_within_pixel_limit(
            (width, height), page_index=0, requested_scale=scale, max_pixels=MAX_PIXELS
        )
    except PDFRenderSizeError:
        with pytest.raises(PageFailure, match="too large"):
            fit_scale(width, height, scale, MAX_PIXELS)
        return
    assert theirs >= MIN_RENDER_SCALE
    assert fit_scale(width, height, scale, MAX_PIXELS) == theirs
