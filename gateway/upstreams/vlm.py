"""Health of one VLM server. Its completions are the business of `layout-parsing`, not ours."""

import asyncio
import re

import aiohttp


class VlmProbe:
    """Asks GET {url}/health. The session belongs to the caller.

    Attributes:
        url: as people may see it, without a password.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = re.sub(r"//[^/@]*@", "//", url)
        self._url = url
        self._session = session

    async def is_healthy(self, timeout_seconds: float) -> bool:
        """Whether it answers 200 in time. Never raises."""
        try:
            async with asyncio.timeout(timeout_seconds), self._session.get(f"{self._url}/health") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
