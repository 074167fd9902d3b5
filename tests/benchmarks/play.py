"""One run: messages are loaded, a contestant takes them, and what came of it is looked at."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from pymongo import AsyncMongoClient

from orderstream.identity import document_id
from orderstream.local import LocalServers
from orderstream.order import Position
from orderstream.settings import Settings
from tests.benchmarks import messages, sending
from tests.benchmarks.clock import Seen, Timed, group
from tests.benchmarks.contestants import Contestant, running
from tests.benchmarks.messages import Known
from tests.benchmarks.usage import Cpu, Meter, per_thousand
from tests.conftest import Servers, fresh_settings
from tests.faults.brokers import remove_topics
from tests.faults.dump import drop_database
from tests.worker import Sent, input_ends

MEMORY_SECONDS: Final = 0.5  # between looks at it

Figures: TypeAlias = dict[str, Any]
Look: TypeAlias = Callable[[Seen, Meter], object]


@dataclass
class Bench:
    """Where all play."""

    servers: LocalServers
    folder: Path  # for logs
    scale: float
    large: Settings | None = None  # where the many orders are, once they are loaded

    async def fresh(self) -> Settings:
        """Topics, group and database that nobody has used."""
        return await fresh_settings(Servers(self.servers.kafka.bootstrap, self.servers.mongo.url))


class Expected(NamedTuple):
    """What must come of the messages."""

    documents: int
    events: int
    rejected: int = 0


class Given(NamedTuple):
    """What a contestant has to do."""

    messages: Iterable[Sent]
    expected: Expected


async def play(
    bench: Bench,
    contestant: Contestant,
    settings: Settings,
    given: Given,
    look: Look = lambda *_: None,
    company: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Figures:
    """Load, let it work, measure; *look* sees every state, *company* runs for as long. Raises `NotHereError`."""
    before = await _found(settings)
    await sending.load(settings, given.messages)
    end = sum((await input_ends(settings)).values())
    async with running(contestant, settings, bench.folder / f"{settings.group}.log") as program:
        meter = Meter(program.process.pid, bench.servers)
        at_first: list[Cpu] = []
        looked = 0.0

        def see(seen: Seen) -> None:
            nonlocal looked
            at_first[:] = at_first or [meter.cpu()]
            if seen.at - looked > MEMORY_SECONDS:
                looked = seen.at
                meter.mb()
                look(seen, meter)

        async with group(settings, contestant.group(settings)) as offsets:
            async with _beside(company):
                timed = await program.until(offsets.until(end, see))
            spent = meter.cpu().since(*at_first)
            meter.mb()
    found = await _found(settings)
    return _figures(timed, spent, meter) | await _stored(settings) | {"wrong": _wrong(before, found, given.expected)}


@asynccontextmanager
async def _beside(company: Callable[[], Coroutine[Any, Any, None]] | None) -> AsyncIterator[None]:
    if company is None:
        yield
        return
    task = asyncio.create_task(company())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def decided(bench: Bench, contestant: Contestant, settings: Settings, count: int, first: int) -> Sequence[Known]:
    """Orders that are there before anything is timed; the contestant is stopped again."""
    sent = list(messages.creates(count, first=first, for_peer=contestant.has_id))
    placed = await sending.load_and_see(settings, sent)
    async with (
        running(contestant, settings, bench.folder / f"{settings.group}-before.log") as program,
        group(settings, contestant.group(settings)) as offsets,
    ):
        await program.until(offsets.until(sum((await input_ends(settings)).values())))
    if contestant.has_id:
        return [Known(messages.peer_id(first + n), one.key or b"") for n, one in enumerate(sent)]
    return [
        Known(
            document_id(datetime.fromtimestamp(at.timestamp / 1000, UTC), Position(at.topic, at.partition, at.offset)),
            one.key or b"",
        )
        for one, at in zip(sent, placed, strict=True)
    ]


async def clear(settings: Settings) -> None:
    """Leave nothing on the servers."""
    await drop_database(settings)
    await remove_topics(settings)


def _figures(timed: Timed, spent: Cpu, meter: Meter) -> Figures:
    rate = timed.rate
    return {
        "records": timed.records,
        "seconds": round(timed.seconds, 3),
        "rate": round(rate, 1),
        **per_thousand(spent, timed.records),
        "peak_mb": round(meter.peak_mb, 1),
        "at": int(time.time()),
    }


async def _found(settings: Settings) -> Expected:
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url.get_secret_value()) as client:
        documents = await client[settings.mongo_database]["orders"].estimated_document_count()
    events = await sending.count(settings, settings.topic_status)
    return Expected(documents, events, await sending.count(settings, settings.topic_rejected))


def _wrong(before: Expected, after: Expected, expected: Expected) -> list[str]:
    came = Expected(*(now - then for now, then in zip(after, before, strict=True)))
    return [
        f"{got} {name} instead of {wanted}"
        for name, got, wanted in zip(Expected._fields, came, expected, strict=True)
        if got != wanted
    ]


async def _stored(settings: Settings) -> Figures:
    """Bytes on disk per order, with the indexes."""
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url.get_secret_value()) as client:
        await client.admin.command("fsync")
        stats = await client[settings.mongo_database].command("collStats", "orders")
    size = stats["storageSize"] + stats["totalIndexSize"]
    return {"bytes_per_order": round(size / stats["count"]) if stats["count"] else None}
