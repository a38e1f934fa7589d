"""Chat completions as the pipelines send them to the simulated VLM."""

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

from PIL import Image


def picture_url(width: int, height: int, kind: str = "JPEG") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def completion(width: int = 560, height: int = 224, prompt: str = "OCR:", **more: Any) -> bytes:
    content = [
        {"type": "image_url", "image_url": {"url": picture_url(width, height)}},
        {"type": "text", "text": prompt},
    ]
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **more}).encode()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the device has no event for; at most 10 seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
