"""TCP proxies that make the network slow, silent or cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeAlias

from orderstream.local.ports import HOST

CHUNK: Final = 64 * 1024
FRAME_HEADER: Final = 4  # bytes of the length before each request and answer of Kafka

Read: TypeAlias = Callable[[asyncio.StreamReader], Awaitable[bytes]]


class Network:
    """What all proxies of a round do to what passes."""

    def __init__(self) -> None:
        self.delay = 0.0  # seconds for each piece
        self.passes = asyncio.Event()  # nothing goes through while it is not set
        self.passes.set()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._open:
            writer.transport.abort()

    @asynccontextmanager
    async def before(self, upstream: int, answers: Read | None = None) -> AsyncIterator[int]:
        """A proxy before this port; gives its own. *answers* reads a piece of what the server says."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._carry(reader, writer, upstream, answers or _piece)

        server = await asyncio.start_server(connected, HOST, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int, answers: Read
    ) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection(HOST, upstream)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, up_writer}
        self._open |= both
        pumps = [
            asyncio.create_task(self._pump(reader, up_writer, _piece)),
            asyncio.create_task(self._pump(up_reader, writer, answers)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in both:
            end.transport.abort()
        await asyncio.gather(*pumps)
        self._open -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, read: Read) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while piece := await read(reader):
                await asyncio.sleep(self.delay)
                await self.passes.wait()
                writer.write(piece)
                await writer.drain()


async def _piece(reader: asyncio.StreamReader) -> bytes:
    return await reader.read(CHUNK)


@asynccontextmanager
async def before_kafka(network: Network, ports: Sequence[int]) -> AsyncIterator[str]:
    """Proxies before all brokers; gives the bootstrap addresses.

    Brokers tell clients where the others are: in what they say, their ports are replaced by the proxies'.
    """
    instead: dict[bytes, bytes] = {}
    async with AsyncExitStack() as stack:
        mine = [await stack.enter_async_context(network.before(port, _answers(instead))) for port in ports]
        instead |= {_address(port): _address(other) for port, other in zip(ports, mine, strict=True)}
        yield ",".join(f"{HOST}:{port}" for port in mine)


def _answers(instead: Mapping[bytes, bytes]) -> Read:
    async def read(reader: asyncio.StreamReader) -> bytes:
        header = await reader.readexactly(FRAME_HEADER)
        frame = await reader.readexactly(int.from_bytes(header, "big"))
        for theirs, ours in instead.items():
            frame = frame.replace(theirs, ours)
        return header + frame

    return read


def _address(port: int) -> bytes:
    """Host and port as Kafka's protocol writes them."""
    return len(HOST).to_bytes(2, "big") + HOST.encode() + port.to_bytes(4, "big")
