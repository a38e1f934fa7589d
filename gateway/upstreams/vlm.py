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
        """Whether it answers in time, and not that it is unwell. Never raises."""
        try:
            async with asyncio.timeout(timeout_seconds), self._session.get(f"{self._url}/health") as response:
                return _says_it_is_well(response)
        except (aiohttp.ClientError, TimeoutError):
            return False


def _says_it_is_well(response: aiohttp.ClientResponse) -> bool:
    """As the pipeline reads it. A server without a health route says so by a 4xx, and lives.

    FastDeploy, which is unwell, says 404 without a type of content, or 304.
    """
    if response.status == 404:
        return "Content-Type" in response.headers
    return response.status // 100 in (2, 4)
