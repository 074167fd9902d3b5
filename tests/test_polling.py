"""One partition that cannot be read costs the others nothing, on a consumer that loses records as aiokafka's does."""

from collections.abc import Collection
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, IllegalStateError, OffsetOutOfRangeError

from orderstream.polling import POLL_RECORDS, Polling

FIRST, TORN, LAST = (TopicPartition("create", number) for number in range(3))
ALL = (FIRST, TORN, LAST)


class Stored(NamedTuple):
    """A record."""

    offset: int
    value: bytes = b"v"


class LosingConsumer:
    """Partitions from offset 0 on; a fault loses what was taken, and is met again when it was fetched again."""

    def __init__(self, **ends: int) -> None:
        self.ends = {partition: ends.get(f"p{partition.partition}", 0) for partition in ALL}
        self.torn: dict[TopicPartition, int] = {}
        self.revoked: set[TopicPartition] = set()
        self.error: Exception | None = None
        self.value = b"v"
        self._positions: dict[TopicPartition, int] = {}
        self._fetching: set[TopicPartition] = set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Only of what is assigned."""
        if partition in self.revoked:
            raise IllegalStateError
        self._positions[partition] = offset

    async def getmany(
        self,
        *partitions: TopicPartition,
        timeout_ms: int,  # noqa: ARG002  # nothing is waited for
        max_records: int,
    ) -> dict[TopicPartition, list[Any]]:
        """As aiokafka's: one partition after the other, until a fault or enough records."""
        found: dict[TopicPartition, list[Any]] = {}
        if self.error:
            raise self.error
        for partition in partitions:
            if partition in self._fetching:
                self._fetching.discard(partition)
            elif max_records:
                found[partition] = self._taken(partition, max_records)
                max_records -= len(found[partition])
        return found

    def _taken(self, partition: TopicPartition, most: int) -> list[Any]:
        start = self._positions[partition]
        until = min(start + most, self.ends[partition])
        if start <= self.torn.get(partition, -1) < until:
            self._fetching.add(partition)
            raise CorruptRecordException
        self._positions[partition] = until
        return [Stored(offset, self.value) for offset in range(start, until)]


class Reader:
    """Polls until nothing comes any more."""

    def __init__(self, consumer: LosingConsumer) -> None:
        self.consumer: Any = consumer
        self.told: list[tuple[TopicPartition, str]] = []
        self.seen: dict[TopicPartition, list[int]] = {partition: [] for partition in ALL}
        self.polling = Polling(lambda partition, reason: self.told.append((partition, reason)))
        for partition in ALL:
            self.polling.begin(self.consumer, partition, 0)

    async def read(self, partitions: Collection[TopicPartition] = ALL, polls: int = 60) -> "Reader":
        """So many polls."""
        for _ in range(polls):
            for partition, records in (await self.polling.poll(self.consumer, partitions)).items():
                self.seen[partition] += [record.offset for record in records]
        return self


async def test_what_can_be_read_is_read_once_and_in_order() -> None:
    reader = await Reader(LosingConsumer(p0=5_000, p1=3, p2=100)).read()

    assert {FIRST: list(range(5_000)), TORN: [0, 1, 2], LAST: list(range(100))} == reader.seen
    assert [] == reader.told


@pytest.mark.parametrize("torn_at", [0, 1, 17, 1_900, 4_000])
async def test_a_fault_loses_nothing_of_others_and_nothing_before_it(torn_at: int) -> None:
    consumer = LosingConsumer(p0=700, p1=5_000, p2=900)
    consumer.torn[TORN] = torn_at

    reader = await Reader(consumer).read(polls=200)

    assert {FIRST: list(range(700)), TORN: list(range(torn_at)), LAST: list(range(900))} == reader.seen
    assert {(TORN, "CorruptRecordException")} == set(reader.told)


async def test_a_partition_that_was_given_up_is_read_on_when_it_is_mended() -> None:
    consumer = LosingConsumer(p1=9_000)
    consumer.torn[TORN] = 100
    reader = await Reader(consumer).read()

    consumer.torn.clear()
    await reader.read(polls=40)

    assert list(range(9_000)) == reader.seen[TORN]
    assert TORN not in reader.polling._portions  # it is read with the others again


async def test_a_partition_that_was_given_up_may_be_left_out() -> None:
    consumer = LosingConsumer(p0=10, p1=10, p2=10)
    consumer.torn[TORN] = 5
    reader = await Reader(consumer).read()
    told = len(reader.told)

    consumer.ends[FIRST] = 20
    await reader.read([FIRST, LAST])

    assert (20, 10, told) == (len(reader.seen[FIRST]), len(reader.seen[LAST]), len(reader.told))


async def test_a_partition_that_is_gone_does_not_keep_others_from_going_back() -> None:
    consumer = LosingConsumer(p0=10, p1=10, p2=10)
    consumer.torn[TORN] = 5
    reader = Reader(consumer)
    consumer.revoked.add(FIRST)

    await reader.read([LAST, TORN, FIRST])

    assert list(range(10)) == reader.seen[LAST]


async def test_what_the_caller_must_judge_is_raised_when_nothing_was_taken() -> None:
    consumer = LosingConsumer(p0=10)
    reader = Reader(consumer)
    consumer.error = OffsetOutOfRangeError({FIRST: 0})

    with pytest.raises(OffsetOutOfRangeError):
        await reader.read()


async def test_partitions_that_are_read_alone_bring_no_more_than_enough() -> None:
    consumer = LosingConsumer(p0=POLL_RECORDS, p1=POLL_RECORDS, p2=POLL_RECORDS)
    consumer.value, consumer.torn[TORN] = b"v" * 4_096, POLL_RECORDS - 1
    reader = Reader(consumer)
    await reader.read(polls=1)  # the fault

    found = await reader.polling.poll(reader.consumer, ALL)

    assert 1 == len(found)
