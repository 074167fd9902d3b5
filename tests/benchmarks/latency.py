"""From sending an order to receiving its event, at a fixed rate."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from orderstream.settings import Settings
from orderstream.topics import PARTITIONS
from tests.benchmarks import messages
from tests.benchmarks.clock import UntimedError
from tests.benchmarks.contestants import Contestant, running
from tests.benchmarks.play import Bench, Figures, clear
from tests.benchmarks.usage import Meter, per_thousand
from tests.worker import Sent

RATE: Final = 500  # messages per second
SECONDS: Final = 30
START_SECONDS: Final = 60.0  # until the first events come
REST_SECONDS: Final = 30.0  # for the events of what was sent, once all is sent
PERCENTILES: Final = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


class Events:
    """When the event of each message came, by correlation id."""

    def __init__(self, reader: AIOKafkaConsumer) -> None:
        self._reader = reader
        self.came: dict[str, float] = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for record in self._reader:
            now = time.perf_counter()
            named = dict(record.headers).get("correlation-id") or record.key or b""
            self.came.setdefault(named.decode(), now)

    async def until(self, ids: Iterable[str], seconds: float) -> bool:
        """Whether all came in time."""
        deadline = time.monotonic() + seconds
        while not self.came.keys() >= set(ids):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def stop(self) -> None:
        """Read no further."""
        self._reading.cancel()
        await self._reader.stop()


async def play_latency(contestant: Contestant, bench: Bench) -> Figures:
    """A second to warm up, then the fixed rate."""
    settings = await bench.fresh()
    log = bench.folder / f"{settings.group}.log"
    try:
        async with running(contestant, settings, log) as program, _events(settings) as events:
            meter = Meter(program.process.pid, bench.servers)
            return await program.until(_measured(contestant, bench, settings, events, meter))
    finally:
        await clear(settings)


async def _measured(contestant: Contestant, bench: Bench, settings: Settings, events: Events, meter: Meter) -> Figures:
    count = round(RATE * SECONDS * bench.scale)
    async with _producer(settings) as producer:
        warm = await _send(producer, settings.topic_create, messages.creates(RATE, for_peer=contestant.has_id))
        if not await events.until(warm, START_SECONDS):
            raise UntimedError(f"after {START_SECONDS:.0f} s {len(events.came)} of {len(warm)} events had come")
        before = meter.cpu()
        some = messages.creates(count, first=RATE, for_peer=contestant.has_id)
        sent = await _send(producer, settings.topic_create, some)
    is_complete = await events.until(sent, REST_SECONDS)
    spent = meter.cpu().since(before)
    waited = sorted(events.came[id_] - at for id_, at in sent.items() if id_ in events.came)
    wrong = [] if is_complete else [f"{len(sent) - len(waited)} events had not come after {REST_SECONDS:.0f} s"]
    return {**_percentiles(waited), **per_thousand(spent, count), "messages": count, "wrong": wrong}


def _percentiles(waited: Sequence[float]) -> Mapping[str, float]:
    """In milliseconds."""
    return {
        name: round(1000 * waited[math.ceil(share * len(waited)) - 1], 2)
        for name, share in PERCENTILES.items()
        if waited
    }


async def _send(producer: AIOKafkaProducer, topic: str, some: Iterable[Sent]) -> dict[str, float]:
    """Send at the rate, whatever comes back; gives the moment at which each was sent, by correlation id."""
    sent: dict[str, float] = {}
    start = time.perf_counter()
    for number, one in enumerate(some):
        if (early := start + number / RATE - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        sent[(dict(one.headers)["correlation-id"] or b"").decode()] = time.perf_counter()
        await producer.send(topic, one.value, key=one.key, headers=list(one.headers))
    await producer.flush()
    return sent


@asynccontextmanager
async def _events(settings: Settings) -> AsyncIterator[Events]:
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await reader.start()
    reader.assign([TopicPartition(settings.topic_status, number) for number in range(PARTITIONS)])
    events = Events(reader)
    try:
        yield events
    finally:
        await events.stop()


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
