"""The consumer group, as this worker's consumer has it: polled, asked and committed with deadlines (design 3)."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownMemberIdError,
)

from orderstream.checkpoint import topic_and_life
from orderstream.ledger import Partition
from orderstream.logs import LogObserver
from orderstream.stream import Stream
from orderstream.trouble import UnavailableError

COMMIT_DEADLINE: Final = 6.0
POLL_MILLISECONDS: Final = 20
POLL_RECORDS: Final = 2_000
UNREADABLE_SECONDS: Final = 30.0  # until a partition that cannot be read is tried again

Fetched: TypeAlias = Mapping[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]


class OutOfRangeError(Exception):
    """Kafka has nothing at the position of a partition: it is not what it was."""

    def __init__(self, numbers: Collection[int]) -> None:
        super().__init__()
        self.numbers = numbers


class KafkaGroup:
    """What lanes ask of the group, and what is done with its consumer for all of them."""

    def __init__(self, topics: Collection[str], stream: Stream, observer: LogObserver) -> None:
        self._topics, self._stream, self._observer = topics, stream, observer
        self._consumer: asyncio.Future[AIOKafkaConsumer] = asyncio.get_running_loop().create_future()
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
        """What has arrived in them. Raises `OutOfRangeError`."""
        consumer = await self._consumer
        try:
            found: Fetched = await consumer.getmany(*partitions, timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS)
        except (ConsumerStoppedError, NoOffsetForPartitionError):  # the latter is of the moment before the seek
            return {}
        except OffsetOutOfRangeError as error:
            raise OutOfRangeError([partition.partition for partition in error.args[0]]) from None
        except Exception:  # noqa: BLE001  # decoders raise types of their own
            return await self._poll_one_by_one(consumer, partitions)
        return found

    async def _poll_one_by_one(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Fetched:
        """One partition that cannot be read must not starve the others; what stands before the fault is read."""
        found: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = {}
        for partition in partitions:
            try:
                found.update(await consumer.getmany(partition, timeout_ms=0, max_records=1))
            except Exception as error:  # noqa: BLE001  # decoders raise types of their own
                self.unreadable[partition] = asyncio.get_running_loop().time() + UNREADABLE_SECONDS
                self._observer.say(
                    "partition.unreadable", "error",
                    topic=partition.topic, partition=partition.partition, reason=type(error).__name__,
                )  # fmt: skip
        return found

    async def seek(self, offsets: Mapping[Partition, int]) -> None:
        """Read on from here. Raises `IllegalStateError` when a partition is not ours any more."""
        consumer = await self._consumer
        for partition, offset in offsets.items():
            consumer.seek(_there(partition), offset)

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
            raise UnavailableError("kafka", type(error).__name__) from None
        return True

    async def commit(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep these offsets in the store, where the next owner begins, and then in the group.

        Raises `KafkaError`, `TimeoutError`, `UnavailableError` and `AnotherLifeError`.
        """
        await self.keep(offsets, committed)
        await self._commit(offsets)

    async def keep(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep these offsets in the store. Raises `TimeoutError`, `UnavailableError` and `AnotherLifeError`."""
        async with asyncio.timeout(COMMIT_DEADLINE):
            await self._stream.advance(offsets, committed)

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
