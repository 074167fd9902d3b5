"""Many partitions read through one consumer, so that one that cannot be read costs the others nothing.

When `getmany` meets a fault in one partition it does not say in which, and what it had taken of others is lost.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from orderstream.decompression import ALLOWANCE

POLL_MILLISECONDS: Final = 20
POLL_RECORDS: Final = 2_000
ENOUGH_BYTES: Final = 4 * 2**20  # of values; whoever is read alone then waits for the next poll
SMALLER: Final = 16  # times, the next portion of a partition in which a fault was met
HARMLESS: Final = (  # raised before anything was taken, and the caller's to judge
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

Fetched: TypeAlias = dict[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]


class _FaultError(Exception):
    """Something in these partitions cannot be read; the text is the kind of the error."""


class Polling:
    """What has been polled of each partition; *give_up* is told of one whose next record cannot be read, and why."""

    def __init__(self, give_up: Callable[[TopicPartition, str], None]) -> None:
        self._give_up = give_up
        self._next: dict[TopicPartition, int] = {}  # offsets
        self._portions: dict[TopicPartition, int] = {}  # records to ask for, of partitions that are read alone

    def begin(self, consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
        """Read this partition from here on. Raises `IllegalStateError` when it is not ours any more."""
        consumer.seek(partition, offset)
        self._next[partition] = offset
        self._portions.pop(partition, None)

    async def poll(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Fetched:
        """What has arrived in partitions that were begun. Raises what is `HARMLESS`."""
        found = await self._together(consumer, [one for one in partitions if one not in self._portions])
        for partition in self._portions.keys() & partitions:
            if _size(found) < ENOUGH_BYTES:
                found |= await self._alone_beside(consumer, partition, found)
        self._next |= {partition: records[-1].offset + 1 for partition, records in found.items()}
        return found

    async def _alone_beside(self, consumer: AIOKafkaConsumer, partition: TopicPartition, found: Fetched) -> Fetched:
        """What others have brought must not be lost with an error, which will be raised again."""
        try:
            return await self._alone(consumer, partition)
        except HARMLESS:
            if found:
                return {}
            raise

    async def _together(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Fetched:
        if not partitions:
            await asyncio.sleep(POLL_MILLISECONDS / 1000)
            return {}
        try:
            return await _taken(consumer, partitions, POLL_MILLISECONDS, POLL_RECORDS)
        except _FaultError:
            self._go_back(consumer, partitions)
            return {}

    def _go_back(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        self._portions |= dict.fromkeys(partitions, POLL_RECORDS)
        self.forget_faults(consumer, partitions)

    def forget_faults(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """Read on from where these partitions stand, whatever lies ready for them: each has an error of its own."""
        for partition in partitions:
            with suppress(IllegalStateError):  # revoked meanwhile
                consumer.seek(partition, self._next[partition])

    async def _alone(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> Fetched:
        """In ever smaller portions up to the fault, so that what stands before it is read; larger ones behind it."""
        portion = self._portions[partition]
        try:
            found = await _taken(consumer, [partition], 0, portion)
        except _FaultError as error:
            self._portions[partition] = max(1, portion // SMALLER)
            if portion == 1:
                self._give_up(partition, str(error))
            return {}
        if found and portion == POLL_RECORDS:
            del self._portions[partition]
        elif found:
            self._portions[partition] = min(2 * portion, POLL_RECORDS)
        return found


async def _taken(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], milliseconds: int, most: int
) -> Fetched:
    ALLOWANCE.renew()
    try:
        found = await consumer.getmany(*partitions, timeout_ms=milliseconds, max_records=most)
    except HARMLESS:
        raise
    except Exception as error:  # noqa: BLE001  # decoders raise types of their own
        raise _FaultError(type(error).__name__) from None
    return {partition: records for partition, records in found.items() if records}


def _size(fetched: Fetched) -> int:
    return sum(len(record.value or b"") for records in fetched.values() for record in records)
