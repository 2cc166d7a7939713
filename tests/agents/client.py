"""A real client of the official library, which starts the server as an agent's program does."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, ImageContent, TextContent

from tests.e2e.program import environment

PATIENCE_SECONDS = 240  # no call takes as long: the server itself stops it earlier


class Agent:
    """An agent's program that is connected to a newsletter."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def call(self, tool: str, **arguments: object) -> CallToolResult:
        """The answer of a tool. A call that is not answered fails the test."""
        return await self.call_with(tool, arguments)

    async def call_with(self, tool: str, arguments: Mapping[str, object]) -> CallToolResult:
        """The answer of a tool to these arguments, whatever they are named."""
        with anyio.fail_after(PATIENCE_SECONDS):
            return await self.session.call_tool(tool, dict(arguments))

    async def text(self, tool: str, **arguments: object) -> str:
        """The text of an answer that is no error."""
        answer = await self.call(tool, **arguments)
        assert not answer.is_error, text_of(answer)
        return text_of(answer)

    async def refused(self, tool: str, **arguments: object) -> str:
        """The text of an answer that is an error."""
        answer = await self.call(tool, **arguments)
        assert answer.is_error, text_of(answer)
        return text_of(answer)

    async def fingerprint(self, issue: str, path: str) -> str:
        """The fingerprint of a file, as it is read."""
        return (await self.text("read_file", issue=issue, path=path)).split()[1]


@asynccontextmanager
async def connected(root: Path, log: Path, *, secrets: Mapping[str, str] | None = None) -> AsyncIterator[Agent]:
    """Yield a connected agent. `log` is what the server writes to its standard error."""
    arguments = ["-m", "newsletter", "mcp", "--folder", str(root)]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment(secrets), cwd="/")
    with log.open("a") as errors:
        async with stdio_client(server, errlog=errors) as streams, ClientSession(*streams) as session:
            await session.initialize()
            yield Agent(session)


def text_of(answer: CallToolResult) -> str:
    """The texts of an answer."""
    return "\n".join(part.text for part in answer.content if isinstance(part, TextContent))


def pictures_of(answer: CallToolResult) -> list[ImageContent]:
    """The pictures of an answer."""
    return [part for part in answer.content if isinstance(part, ImageContent)]
