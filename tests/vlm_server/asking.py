"""Requests as the pipeline sends them."""

import numpy as np

from tests.vlm_server.drawing import data_url

MODEL = "PaddleOCR-VL-0.9B"


def request_body(picture, prompt="OCR:", **options):
    url = picture if isinstance(picture, str) else data_url(picture)
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": prompt}]
    return {"model": MODEL, "messages": [{"role": "user", "content": parts}], "temperature": 0, **options}


def bgr(picture):
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
