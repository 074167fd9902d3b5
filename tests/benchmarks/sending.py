"""Messages into the topics, and records out of them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from orderstream.settings import Settings
from orderstream.topics import PARTITIONS
from tests.worker import Sent

AT_ONCE: Final = 5_000  # messages that await their acknowledgement


async def load(settings: Settings, messages: Iterable[Sent]) -> int:
    """Send as fast as goes, in order per key; gives the number."""
    count = 0
    async for metadata in _acknowledged(settings, messages):
        count += len(metadata)
    return count


async def load_and_see(settings: Settings, messages: Iterable[Sent]) -> list[RecordMetadata]:
    """The same; gives what Kafka says of each."""
    return [one async for metadata in _acknowledged(settings, messages) for one in metadata]


async def count(settings: Settings, topic: str) -> int:
    """The records of a topic that a subscriber sees; marks of transactions are none."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    async with _reader(settings) as reader:
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        seen = 0
        while any([await reader.position(one) < ends[one] for one in partitions]):
            seen += sum(map(len, (await reader.getmany(timeout_ms=200)).values()))
    return seen


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


async def _acknowledged(settings: Settings, messages: Iterable[Sent]) -> AsyncIterator[Sequence[RecordMetadata]]:
    topics = {"create": settings.topic_create, "update": settings.topic_update}
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, acks="all", enable_idempotence=True, linger_ms=5,
        max_batch_size=2**18,
    )  # fmt: skip
    await producer.start()
    try:
        remaining = iter(messages)
        while some := list(islice(remaining, AT_ONCE)):
            sent = [
                await producer.send(topics[one.topic], one.value, key=one.key, headers=list(one.headers))
                for one in some
            ]
            yield await asyncio.gather(*sent)
    finally:
        await producer.stop()
