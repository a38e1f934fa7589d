"""HTTP by hand, for what no client library would send."""

import asyncio


async def exchange(url: str, request: str, *, hang_up: bool = False) -> bytes:
    """Send exactly this on a connection of its own; the head of the answer.

    Hanging up sends the end of the stream behind it.
    """
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode("latin-1"))
        if hang_up:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
