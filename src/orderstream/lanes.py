"""The lanes of this worker: opened at assignment, drained at revocation, committed together (design 3)."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    UnknownMemberIdError,
)

from orderstream.commands import Kind
from orderstream.failpoints import Step
from orderstream.kafka import to_record
from orderstream.ledger import Partition
from orderstream.logs import LogObserver
from orderstream.pipeline import Lane
from orderstream.trouble import UnavailableError

COMMIT_SECONDS: Final = 0.05  # between two commits
COMMIT_DEADLINE: Final = 10.0
DRAIN_SECONDS: Final = 8.0  # for the batch in hand, at a rebalance and at a stop
POLL_MILLISECONDS: Final = 20
POLL_RECORDS: Final = 2_000
UNREADABLE_SECONDS: Final = 30.0  # until a partition that cannot be read is tried again


Polled: TypeAlias = list[tuple[Lane, list["ConsumerRecord[bytes, bytes]"]]]


class Lanes(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One lane per partition number that the group gave us."""

    def __init__(
        self,
        topics: Mapping[str, Kind],
        open_lane: Callable[[int, Mapping[Partition, int]], Lane],
        observer: LogObserver,
        reached: Callable[[Step], None],
    ) -> None:
        self._consumer: asyncio.Future[AIOKafkaConsumer] = asyncio.get_running_loop().create_future()
        self._topics, self._open_lane = topics, open_lane
        self._observer, self._reached = observer, reached
        self._lanes: dict[int, Lane] = {}
        self._unreadable: dict[TopicPartition, float] = {}
        self._polling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._committing: asyncio.Task[None] | None = None

    @property
    def open(self) -> Collection[Lane]:
        """The lanes of the present assignment."""
        return self._lanes.values()

    async def poll(self, consumer: AIOKafkaConsumer) -> Polled:
        """What has arrived, for lanes that have room; a lane that was revoked meanwhile drops what it is given."""
        if not self._consumer.done():
            self._consumer.set_result(consumer)
        async with self._polling:
            ready = {number: lane for number, lane in self._lanes.items() if lane.has_room}
            polled = await self._read(ready)
        return [(ready[number], records) for number, records in polled.items()]

    async def _read(self, ready: Mapping[int, Lane]) -> dict[int, list["ConsumerRecord[bytes, bytes]"]]:
        now = asyncio.get_running_loop().time()
        partitions = [partition for partition in self._partitions(ready) if self._unreadable.get(partition, 0) <= now]
        if not partitions:
            await asyncio.sleep(POLL_MILLISECONDS / 1000)
            return {}
        by_lane: dict[int, list[ConsumerRecord[bytes, bytes]]] = defaultdict(list)
        for partition, records in (await self._getmany(partitions)).items():
            by_lane[partition.partition] += records
            ready[partition.partition].hear()
        return by_lane

    async def _getmany(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]:
        consumer = await self._consumer
        try:
            found: Mapping[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = await consumer.getmany(
                *partitions, timeout_ms=POLL_MILLISECONDS, max_records=POLL_RECORDS
            )
        except ConsumerStoppedError:
            return {}
        except Exception:  # noqa: BLE001  # decoders raise types of their own
            return await self._getmany_one_by_one(consumer, partitions)
        return found

    async def _getmany_one_by_one(
        self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, list["ConsumerRecord[bytes, bytes]"]]:
        """One partition that cannot be read must not starve the others; what stands before the fault is read."""
        found = {}
        for partition in partitions:
            try:
                found.update(await consumer.getmany(partition, timeout_ms=0, max_records=1))
            except Exception as error:  # noqa: BLE001  # decoders raise types of their own
                self._unreadable[partition] = asyncio.get_running_loop().time() + UNREADABLE_SECONDS
                self._observer.say(
                    "partition.unreadable", "error",
                    topic=partition.topic, partition=partition.partition, reason=type(error).__name__,
                )  # fmt: skip
        return found

    def hand_over(self, polled: Polled) -> None:
        """Give each lane its records; cannot fail and does not wait."""
        for lane, raw in polled:
            lane.accept(to_record(record, self._topics[record.topic]) for record in raw)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Return at once: no heartbeat is sent while this runs."""
        self._observer.say("partitions.assigned", partitions=sorted({p.partition for p in assigned}))
        task = asyncio.create_task(self._open(assigned))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish what is in hand, commit it, forget the rest."""
        for task in self._tasks:
            task.cancel()
        if revoked:
            self._observer.say("partitions.revoked", partitions=sorted({p.partition for p in revoked}))
        await self.drain()

    async def drain(self) -> None:
        """End all lanes, and commit what they have finished."""
        lanes, self._lanes = self._lanes, {}
        await asyncio.gather(*(lane.drain(DRAIN_SECONDS) for lane in lanes.values()))
        await self._commit(lanes.values())
        await asyncio.gather(*(lane.forget() for lane in lanes.values()))

    def start_committing(self) -> None:
        """Commit what lanes finish, all in one request, beside them."""
        self._committing = asyncio.create_task(self._commit_for_ever())

    async def stop(self) -> None:
        """Drain, commit, and commit no more."""
        if self._committing:
            self._committing.cancel()
        await self.drain()

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether the group accepts a commit of these offsets, which it does only from the owner."""
        consumer = await self._consumer
        try:
            async with asyncio.timeout(COMMIT_DEADLINE):
                await consumer.commit({TopicPartition(*partition): offset for partition, offset in offsets.items()})
        except (CommitFailedError, IllegalStateError, UnknownMemberIdError, IllegalGenerationError):
            return False
        except (KafkaError, TimeoutError) as error:
            raise UnavailableError("kafka", type(error).__name__) from None
        return True

    async def is_at_end(self, partition: Partition) -> bool:
        """Whether everything that the partition holds has been polled."""
        consumer, there = await self._consumer, TopicPartition(*partition)
        try:
            end, position = consumer.highwater(there), await consumer.position(there)
        except KafkaError:
            return False
        return end is not None and position >= end

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The group's committed offsets as they are now; 0 where there is none."""
        try:
            return {(topic, number): await self._committed(topic, number) or 0 for topic, number in partitions}
        except (KafkaError, TimeoutError) as error:
            raise UnavailableError("kafka", type(error).__name__) from None

    async def _committed(self, topic: str, number: int) -> int | None:
        consumer = await self._consumer
        async with asyncio.timeout(COMMIT_DEADLINE):
            committed: int | None = await consumer.committed(TopicPartition(topic, number))
        return committed

    def _partitions(self, numbers: Iterable[int]) -> list[TopicPartition]:
        assigned = self._consumer.result().assignment() if self._consumer.done() else frozenset()
        both = (TopicPartition(topic, number) for number in numbers for topic in self._topics)
        return [partition for partition in both if partition in assigned]

    async def _open(self, assigned: Collection[TopicPartition]) -> None:
        """Start every lane where the group says, not where the client happens to stand."""
        while True:
            try:
                starts = await self._starts(assigned)
                async with self._polling:  # whatever an earlier poll took is rewound by the seek
                    self._seek(await self._consumer, starts)
            except IllegalStateError:
                return  # revoked again meanwhile
            except (KafkaError, TimeoutError) as error:
                self._observer.say("kafka.unavailable", "warning", reason=type(error).__name__)
                await asyncio.sleep(1)
            else:
                return

    async def _starts(self, assigned: Collection[TopicPartition]) -> dict[int, dict[Partition, int]]:
        starts: dict[int, dict[Partition, int]] = defaultdict(dict)
        for topic, number in assigned:
            committed = await self._committed(topic, number)
            starts[number][topic, number] = await self._beginning(topic, number) if committed is None else committed
        return starts

    async def _beginning(self, topic: str, number: int) -> int:
        consumer, partition = await self._consumer, TopicPartition(topic, number)
        async with asyncio.timeout(COMMIT_DEADLINE):
            offsets: Mapping[TopicPartition, int] = await consumer.beginning_offsets([partition])
        return offsets[partition]

    def _seek(self, consumer: AIOKafkaConsumer, starts: Mapping[int, Mapping[Partition, int]]) -> None:
        for number, start in starts.items():
            for (topic, _), offset in start.items():
                consumer.seek(TopicPartition(topic, number), offset)
            self._lanes[number] = self._open_lane(number, start)
            self._lanes[number].start()

    async def _commit_for_ever(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit(self.open)

    async def _commit(self, lanes: Collection[Lane]) -> None:
        """One request for all of them; a refusal means that the partitions are somebody else's now."""
        finished = {p: o for lane in lanes for p, o in lane.finished.items() if lane.committed.get(p) != o}
        if not finished:
            return
        consumer = await self._consumer
        offsets = {TopicPartition(*partition): offset for partition, offset in finished.items()}
        try:
            async with asyncio.timeout(COMMIT_DEADLINE):
                await consumer.commit(offsets)
                self._reached("commit")
        except (KafkaError, TimeoutError) as error:
            self._observer.say("commit.failed", "warning", reason=type(error).__name__)
            return
        for lane in lanes:
            lane.hear()
            lane.committed.update({p: o for p, o in finished.items() if p in lane.committed})
