"""The command `local`: a real Kafka and a real MongoDB in the foreground, and the settings that lead to them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orderstream.local import LocalServers, local_servers
from orderstream.terminal import console, say


async def keep_servers() -> None:
    """Run both until cancelled. Raises `LocalServerError`."""
    async with started_servers() as servers:
        show_exports(where(servers))
        say("paste these lines into another terminal; Ctrl-C stops both servers, and their data are gone then")
        await asyncio.Event().wait()


@asynccontextmanager
async def started_servers() -> AsyncIterator[LocalServers]:
    """Both servers; what happens until they are ready is told. Raises `LocalServerError`."""
    async with AsyncExitStack() as stack:
        with _progress() as report:
            servers = await stack.enter_async_context(local_servers(report=report))
        yield servers


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Lines for people, in a terminal with a clock below: the first time takes long."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield say
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        progress.add_task("starting Kafka and MongoDB", total=None)
        yield progress.console.print


def where(servers: LocalServers) -> Mapping[str, str]:
    """The settings that lead to these servers."""
    return {"ORDERSTREAM_KAFKA_BOOTSTRAP": servers.kafka.bootstrap, "ORDERSTREAM_MONGO_URL": servers.mongo.url}


def show_exports(settings: Mapping[str, str]) -> None:
    """As lines for a shell."""
    for name, value in settings.items():
        print(f"export {name}='{value}'", flush=True)
