"""A topic read without a consumer group: nothing is committed, nobody's partitions move."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from orderstream.connection import connection
from orderstream.kafka_trouble import unavailable
from orderstream.settings import Settings
from orderstream.topics import partition_counts
from orderstream.trouble import UnavailableError

POLL_MS: Final = 1_000
SILENT_POLLS: Final = 30  # one after the other without a record, until Kafka is held to be away

Records: TypeAlias = AsyncIterator["ConsumerRecord[bytes, bytes]"]


@asynccontextmanager
async def following(settings: Settings, topic: str, *, from_start: bool) -> AsyncIterator[Records]:
    """The records of one of our topics, without end; those that come from now on, or all that it holds first.

    Raises `UnavailableError` and `TopicsMissingError`.
    """
    await partition_counts(settings, {topic: "Read"})  # a consumer would make the topic, with one partition
    consumer = AIOKafkaConsumer(
        topic,
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_start else "latest",
    )
    try:
        await _start(consumer)
        yield aiter(consumer)
    except KafkaError as error:
        raise unavailable(error, "Read") from None
    finally:
        await consumer.stop()


class History:
    """The records of a topic from one moment to another, in the order of each partition; can be read once."""

    def __init__(
        self, consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> None:
        self.total = sum(max(0, end - starts[partition]) for partition, end in ends.items())
        """How many records it has at most: some offsets may hold none."""
        self._consumer, self._ends = consumer, ends

    async def __aiter__(self) -> Records:
        silent = 0
        while unread := [partition for partition in self._ends if not await self._is_read(partition)]:
            found = await self._consumer.getmany(*unread, timeout_ms=POLL_MS)
            silent = 0 if found else silent + 1
            if silent >= SILENT_POLLS:
                raise UnavailableError("kafka", f"no record within {SILENT_POLLS * POLL_MS // 1000} s")
            for partition, records in found.items():
                for record in records:
                    if record.offset < self._ends[partition]:
                        yield record

    async def _is_read(self, partition: TopicPartition) -> bool:
        return bool(await self._consumer.position(partition) >= self._ends[partition])


@asynccontextmanager
async def history(settings: Settings, topic: str, *, since: datetime | None) -> AsyncIterator[History]:
    """What one of our topics holds now, from its start or from the first record of *since* or later.

    Raises `UnavailableError` and `TopicsMissingError`, while it is read too.
    """
    counts = await partition_counts(settings, {topic: "Read"})
    partitions = [TopicPartition(topic, number) for number in range(counts[topic])]
    consumer = AIOKafkaConsumer(
        **connection(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        starts = await _starts(consumer, partitions, ends, since)
        for partition, offset in starts.items():
            consumer.seek(partition, offset)
        yield History(consumer, starts, ends)
    except KafkaError as error:
        raise unavailable(error, "Read") from None
    finally:
        await consumer.stop()


async def _starts(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    ends: Mapping[TopicPartition, int],
    since: datetime | None,
) -> Mapping[TopicPartition, int]:
    if since is None:
        first: Mapping[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        return first
    milliseconds = max(0, int(since.timestamp() * 1000))
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    return {partition: found[partition].offset if found[partition] else ends[partition] for partition in partitions}


async def _start(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    for partition in consumer.assignment():  # "now" is this moment, not that of the first fetch
        await consumer.position(partition)
