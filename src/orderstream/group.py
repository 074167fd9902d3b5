"""The consumer group, as this worker's consumer has it: polled, asked and committed with deadlines (design 3)."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownMemberIdError,
)

from orderstream.checkpoint import topic_and_life
from orderstream.kafka_trouble import unavailable
from orderstream.ledger import Partition
from orderstream.observers import Observers
from orderstream.polling import Fetched, Polling
from orderstream.stream import Stream
from orderstream.trouble import UnavailableError

COMMIT_DEADLINE: Final = 6.0
PING_SECONDS: Final = 2.0
UNREADABLE_SECONDS: Final = 30.0  # until a partition that cannot be read is tried again
REFUSED_SECONDS: Final = 2.0  # the same where we lack the right, which somebody may give us


class OutOfRangeError(Exception):
    """Kafka has nothing at the position of a partition: it is not what it was."""

    def __init__(self, numbers: Collection[int]) -> None:
        super().__init__()
        self.numbers = numbers


class KafkaGroup:
    """What lanes ask of the group, and what is done with its consumer for all of them."""

    def __init__(self, topics: Collection[str], stream: Stream, observer: Observers) -> None:
        self._topics, self._stream, self._observer = topics, stream, observer
        self._consumer: asyncio.Future[AIOKafkaConsumer] = asyncio.get_running_loop().create_future()
        self._polling = Polling(self._give_up)
        self.unreadable: dict[TopicPartition, float] = {}  # until when it is left alone

    def use(self, consumer: AIOKafkaConsumer) -> None:
        """Speak through this one from now on."""
        if self._consumer.done() and self._consumer.result() is not consumer:
            self._consumer = asyncio.get_running_loop().create_future()
        if not self._consumer.done():
            self._consumer.set_result(consumer)

    def partitions(self, numbers: Iterable[int]) -> list[TopicPartition]:
        """Those of both topics with these numbers that are assigned to us and readable."""
        if not self._consumer.done():
            return []
        assigned, now = self._consumer.result().assignment(), asyncio.get_running_loop().time()
        both = (TopicPartition(topic, number) for number in numbers for topic in self._topics)
        return [one for one in both if one in assigned and self.unreadable.get(one, 0) <= now]

    async def poll(self, partitions: Collection[TopicPartition]) -> Fetched:
        """What has arrived in them. Raises `OutOfRangeError` and `GroupAuthorizationFailedError`."""
        consumer = await self._consumer
        try:
            return await self._polling.poll(consumer, partitions)
        except (ConsumerStoppedError, NoOffsetForPartitionError):  # the latter is of the moment before the seek
            return {}
        except OffsetOutOfRangeError as error:
            raise OutOfRangeError([partition.partition for partition in error.args[0]]) from None
        except TopicAuthorizationFailedError as error:
            refused = [partition for partition in partitions if partition.topic in error.args]
            for partition in refused:
                self._leave_alone(partition, REFUSED_SECONDS)
            self._polling.forget_faults(consumer, refused)
            self._observer.unavailable(unavailable(error, "Read"), 1)
            return {}

    def _give_up(self, partition: TopicPartition, reason: str) -> None:
        """Its next record cannot be read; the others go on."""
        self._leave_alone(partition, UNREADABLE_SECONDS)
        self._observer.say(
            "partition.unreadable", "error", topic=partition.topic, partition=partition.partition, reason=reason
        )

    def _leave_alone(self, partition: TopicPartition, seconds: float) -> None:
        self.unreadable[partition] = asyncio.get_running_loop().time() + seconds

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Read on from here. Raises `IllegalStateError` when a partition is not ours any more."""
        consumer = await self._consumer
        for partition, offset in offsets.items():
            self._polling.begin(consumer, _there(partition), offset)

    async def position(self, partition: Partition) -> int | None:
        """The offset of the next record that will be polled; None when the partition is not ours."""
        try:
            async with asyncio.timeout(COMMIT_DEADLINE):
                position: int = await (await self._consumer).position(_there(partition))
        except (KafkaError, TimeoutError):
            return None
        return position

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether the group accepts a commit of these offsets, which it does only from the owner."""
        try:
            await self._commit(offsets)
        except (CommitFailedError, IllegalStateError, UnknownMemberIdError, IllegalGenerationError):
            return False
        except (KafkaError, TimeoutError) as error:
            raise unavailable(error, "Read") from None
        return True

    async def commit(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep these offsets in the store, where the next owner begins, and then in the group.

        Raises `KafkaError`, `TimeoutError`, `UnavailableError` and `OvertakenError`.
        """
        await self.keep(offsets, committed)
        await self._commit(offsets)

    async def keep(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep these offsets in the store. Raises `TimeoutError`, `UnavailableError` and `OvertakenError`."""
        async with asyncio.timeout(COMMIT_DEADLINE):
            await self._stream.advance(offsets, committed)

    async def ends(self, *, settled: bool) -> Mapping[TopicPartition, int]:
        """Where our partitions end, asked of their leaders with a short deadline; none before the consumer has begun.

        *settled*: the group's coordinator is asked for a sign of life too; while a member joins it answers nothing.
        Raises `UnavailableError`.
        """
        if not self._consumer.done():
            return {}
        consumer, any_one = self._consumer.result(), TopicPartition(next(iter(self._topics)), 0)
        try:
            async with asyncio.timeout(PING_SECONDS):
                if settled:
                    await consumer.committed(any_one)
                ends: Mapping[TopicPartition, int] = await consumer.end_offsets(consumer.assignment() or [any_one])
        except TimeoutError:
            raise UnavailableError("kafka", f"has not answered within {PING_SECONDS:.0f} s") from None
        except KafkaError as error:
            raise UnavailableError("kafka", f"cannot be used ({unavailable(error).reason})") from None
        return ends

    async def is_at_end(self, partition: Partition) -> bool:
        """Whether everything that the partition holds has been polled."""
        consumer, position = await self._consumer, await self.position(partition)
        try:
            end = consumer.highwater(_there(partition))
        except KafkaError:
            return False
        return end is not None and position is not None and position >= end

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Below these offsets every record is written and answered; 0 where nothing was."""
        return await self._stream.reached(partitions)

    async def _commit(self, offsets: Mapping[Partition, int]) -> None:
        consumer = await self._consumer
        async with asyncio.timeout(COMMIT_DEADLINE):
            await consumer.commit({_there(partition): offset for partition, offset in offsets.items()})


def _there(partition: Partition) -> TopicPartition:
    """As Kafka knows it, whatever life of its topic it is in."""
    return TopicPartition(topic_and_life(partition[0])[0], partition[1])
