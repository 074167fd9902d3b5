"""The input topics as they are now, compared with what the worker kept of them (design 3, G8)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from orderstream.checkpoint import Checkpoint, Judgement, Seen, judge
from orderstream.connection import connection
from orderstream.kafka_trouble import Right, explained, unavailable
from orderstream.ledger import Partition
from orderstream.mongo_checkpoints import MongoCheckpoints
from orderstream.settings import Settings
from orderstream.topic_ids import TopicIdentity, topic_identities

LOOK_SECONDS: Final = 15.0
RIGHT: Final[Right] = "Read"  # the worker's; it includes Describe, which is enough to look
COORDINATED: Final = AsyncRetrying(  # a new cluster makes the topic of offsets at the first question
    retry=retry_if_exception_type(
        (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
    ),
    wait=wait_fixed(0.2),
)


class Stream:
    """The partitions of both input topics; every method raises `UnavailableError`."""

    def __init__(self, settings: Settings, checkpoints: MongoCheckpoints) -> None:
        self._settings, self._checkpoints = settings, checkpoints
        self.topics = (settings.topic_create, settings.topic_update)

    async def judged(self, partitions: Collection[Partition] | None = None) -> Mapping[Partition, Judgement]:
        """Where each of these partitions goes on, or all that there are; a topic that is not there has none."""
        identities = await topic_identities(connection(self._settings), dict.fromkeys(self.topics, RIGHT))
        if partitions is None:
            partitions = [(name, n) for name, one in identities.items() for n in range(one.partitions)]
        seen = await self._seen([p for p in partitions if p[0] in identities], identities)
        kept = await self._checkpoints.load(partitions)
        counts = await self._checkpoints.partition_counts(self.topics)
        return {partition: judge(kept.get(partition), counts.get(partition[0]), one) for partition, one in seen.items()}

    async def begin(self, judgements: Mapping[Partition, Judgement]) -> None:
        """Keep what was seen for the first time."""
        await self._checkpoints.begin(*_to_keep(judgements))

    async def adopt(self, judgements: Mapping[Partition, Judgement]) -> None:
        """Take the partitions as they are."""
        await self._checkpoints.adopt(*_to_keep(judgements))

    async def advance(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep how far the lanes are. Raises `OvertakenError`."""
        await self._checkpoints.advance(offsets, committed)

    async def reached(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """How far all lanes of the group have come in these partitions, as their positions name them."""
        return await self._checkpoints.reached(partitions)

    async def _seen(
        self, partitions: Collection[Partition], identities: Mapping[str, TopicIdentity]
    ) -> Mapping[Partition, Seen]:
        there = [TopicPartition(*partition) for partition in partitions]
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                committed = await self._committed(there)
                async with self._consumer() as consumer:
                    beginnings, ends = await consumer.beginning_offsets(there), await consumer.end_offsets(there)
        except GroupAuthorizationFailedError:
            raise unavailable(GroupAuthorizationFailedError(self._settings.group)) from None
        except (KafkaError, TimeoutError, OSError) as error:
            raise await explained(error, connection(self._settings), RIGHT) from None
        return {
            (one.topic, one.partition): Seen(
                identities[one.topic].id, identities[one.topic].partitions, beginnings[one], ends[one], committed[one]
            )
            for one in there
        }

    async def _committed(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        admin = AIOKafkaAdminClient(**connection(self._settings))
        try:
            await admin.start()
            async for attempt in COORDINATED:
                with attempt:
                    found = await admin.list_consumer_group_offsets(self._settings.group, partitions=list(partitions))
        finally:
            await admin.close()
        return {one: found[one].offset if one in found and found[one].offset >= 0 else None for one in partitions}

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(**connection(self._settings), group_id=None, isolation_level="read_committed")
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()


def _to_keep(judgements: Mapping[Partition, Judgement]) -> tuple[Mapping[Partition, Checkpoint], Mapping[str, int]]:
    checkpoints = {partition: one.checkpoint for partition, one in judgements.items()}
    return checkpoints, {topic: one.seen.partitions for (topic, _), one in judgements.items()}
