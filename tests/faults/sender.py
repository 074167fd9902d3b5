"""The load on its way: written down, sent, acknowledged; the events are followed meanwhile."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from orderstream.settings import Settings
from tests.faults.brokers import PARTITIONS
from tests.faults.ledger import Entry, Ledger
from tests.faults.load import Load

TICK: Final = 0.05  # seconds
LAST_SECONDS: Final = 60.0  # for the last acknowledgements


async def send(settings: Settings, load: Load, ledger: Ledger, rate: float, enough: asyncio.Event) -> None:
    """So many messages a second until it is *enough*, and then what is owed."""
    async with _producer(settings) as producer, asyncio.TaskGroup() as group:
        following = group.create_task(_follow(settings, load))
        sending = _Sending(settings, producer, ledger)
        while not enough.is_set():
            for _ in range(round(rate * TICK)):
                await sending.send(load.next())
            await asyncio.sleep(TICK)
        for entry in load.rest():
            await sending.send(entry)
        await sending.finish()
        following.cancel()


class _Sending:
    def __init__(self, settings: Settings, producer: AIOKafkaProducer, ledger: Ledger) -> None:
        self._topics = {"create": settings.topic_create, "update": settings.topic_update}
        self._producer, self._ledger = producer, ledger
        self._open: set[asyncio.Task[None]] = set()

    async def send(self, entry: Entry) -> None:
        self._ledger.write(entry)
        topic, key, value, headers = entry.message
        with contextlib.suppress(KafkaError):  # it is not acknowledged then, and may arrive all the same
            sent = await self._producer.send(self._topics[topic], value, key=key, headers=list(headers))
            task = asyncio.create_task(self._acknowledged(entry.id, sent))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _acknowledged(self, id_: str, sent: "asyncio.Future[object]") -> None:
        with contextlib.suppress(KafkaError):
            at = await sent
            self._ledger.acknowledge(id_, f"{at.topic}/{at.partition}/{at.offset}")  # type: ignore[attr-defined]

    async def finish(self) -> None:
        """Wait until everything is acknowledged."""
        if self._open:
            await asyncio.wait(self._open, timeout=LAST_SECONDS)


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(  # an idempotent one may wait for ever when all brokers were away; this one repeats
        bootstrap_servers=settings.kafka_bootstrap, acks="all", linger_ms=5
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _follow(settings: Settings, load: Load) -> None:
    """Tell the load what the events say, for ever."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(settings.topic_status, number) for number in range(PARTITIONS)])
    await consumer.start()
    try:
        while True:
            with contextlib.suppress(KafkaError):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        load.learn(json.loads(record.value or b""))
    finally:
        await consumer.stop()
