"""`orderstream` run as a user runs it, in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from orderstream.settings import Settings
from tests.worker import environment


class Ran(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@asynccontextmanager
async def running(settings: Settings, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command while it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orderstream", *arguments, env=environment(settings),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(settings: Settings, *arguments: str, stdin: str = "") -> Ran:
    """The command to its end."""
    async with asyncio.timeout(60), running(settings, *arguments) as process:
        out, err = await process.communicate(stdin.encode())
        return Ran(process.returncode or 0, out.decode(), err.decode())
