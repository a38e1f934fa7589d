"""HTTP by hand, for what no client library would send."""

import asyncio


async def exchange(url: str, request: str) -> bytes:
    """Send exactly this on a connection of its own; the head of the answer."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode("latin-1"))
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
