"""One session with paddleocr-mcp over stdio; runs in that client's environment.

Reads {"command", "environment", "calls": [arguments, ...]} on stdin, writes {"tools", "answers"} on stdout.
"""

import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    order = json.load(sys.stdin)
    server = StdioServerParameters(command=order["command"], env=order["environment"])
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        answers = [await session.call_tool("paddleocr_vl", arguments) for arguments in order["calls"]]
    print(json.dumps({"tools": tools, "answers": [answer.model_dump(mode="json") for answer in answers]}))


asyncio.run(main())
