"""The lanes of this worker: opened at assignment, drained at revocation (design 3)."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError

from orderstream.cancellation import cancel_until_ended
from orderstream.checkpoint import Judgement, name_of, topic_and_life
from orderstream.commands import Kind, Record
from orderstream.committer import Committer, finished_by
from orderstream.group import KafkaGroup, OutOfRangeError
from orderstream.kafka import to_record
from orderstream.ledger import Partition
from orderstream.observers import Observers
from orderstream.pipeline import Lane, place_of
from orderstream.stream import Stream
from orderstream.trouble import UnavailableError

DRAIN_SECONDS: Final = 8.0  # for the batch in hand, at a rebalance and at a stop
PAUSE_SECONDS: Final = 0.02  # when no lane has room
LOOK_AGAIN_SECONDS: Final = 2.0  # whether a partition that stands has been adopted
SURE: Final = 2  # looks at a partition until it is said to stand


Polled: TypeAlias = list[tuple[Lane, list["ConsumerRecord[bytes, bytes]"]]]


class Lanes(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One lane per partition number that the group gave us."""

    def __init__(
        self,
        topics: Mapping[str, Kind],
        stream: Stream,
        group: KafkaGroup,
        open_lane: Callable[[int, Mapping[Partition, int]], Lane],
        observer: Observers,
        committer: Committer,
    ) -> None:
        self._topics, self._stream, self._group, self._open_lane = topics, stream, group, open_lane
        self._observer, self._committer = observer, committer
        self._lanes: dict[int, Lane] = {}
        self._names: dict[Partition, str] = {}  # of topics in the positions of their records
        self._polling = asyncio.Lock()
        self._opening: set[asyncio.Task[None]] = set()
        self._looks: Counter[tuple[str, int, str]] = Counter()  # at what keeps a lane from being opened
        self._begins: dict[Partition, int] = {}  # where lanes begin, once they do
        self.assigned: frozenset[int] | None = None  # partition numbers; None while the group has not decided
        self._stopped = False  # a rebalance at the very end opens nothing any more

    @property
    def open(self) -> Mapping[int, Lane]:
        """The lanes of the present assignment."""
        return self._lanes

    @property
    def standing(self) -> Mapping[int, str]:
        """The partitions of the present assignment that do not move, and why."""
        found = {number: self._why_standing(number) for number in self.assigned or ()}
        return {number: reason for number, reason in found.items() if reason}

    @property
    def partitions(self) -> Collection[Partition]:
        """Those of both topics in the present assignment."""
        return [(topic, number) for number in sorted(self.assigned or ()) for topic in self._topics]

    @property
    def finished(self) -> Mapping[Partition, int]:
        """How far they are, those that stand too, by the names of their topics."""
        moved = finished_by(self._lanes.values())
        return {**self._begins, **{(topic_and_life(name)[0], n): offset for (name, n), offset in moved.items()}}

    @property
    def wanted(self) -> list[TopicPartition]:
        """The partitions of which lanes take more."""
        readable = self._group.partitions(self._lanes)
        return [one for one in readable if self._lanes[one.partition].wants(self._topics[one.topic])]

    def _why_standing(self, number: int) -> str | None:
        if number in self._lanes:
            return self._lanes[number].standing
        problems = [problem for _, looked_at, problem in self._looks if looked_at == number]
        return problems[-1] if problems else "its lane is being opened"

    async def poll(self, consumer: AIOKafkaConsumer) -> Polled:
        """What has arrived, for lanes that have room; a lane that was revoked meanwhile drops what it is given."""
        self._group.use(consumer)
        async with self._polling:
            wanted = self.wanted
            if not wanted:
                await asyncio.sleep(PAUSE_SECONDS)
                return []
            return await self._read(wanted)

    async def _read(self, partitions: Collection[TopicPartition]) -> Polled:
        ready = dict(self._lanes)
        by_lane: dict[int, list[ConsumerRecord[bytes, bytes]]] = defaultdict(list)
        try:
            fetched = await self._group.poll(partitions)
        except OutOfRangeError as error:
            self.reopen(error.numbers)
            return []
        for partition, records in fetched.items():
            by_lane[partition.partition] += records
            ready[partition.partition].hear()
        return [(ready[number], records) for number, records in by_lane.items()]

    def hand_over(self, polled: Polled) -> None:
        """Give each lane its records; cannot fail and does not wait."""
        for lane, raw in polled:
            lane.accept(self._record(record) for record in raw)

    def _record(self, raw: "ConsumerRecord[bytes, bytes]") -> Record:
        return to_record(raw, self._topics[raw.topic], self._names[raw.topic, raw.partition])

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Return at once: no heartbeat is sent while this runs."""
        self._observer.say("partitions.assigned", partitions=sorted({p.partition for p in assigned}))
        if self._stopped:
            return
        self.assigned = frozenset(one.partition for one in assigned)
        self._begin(self._open([(one.topic, one.partition) for one in assigned]))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish what is in hand, commit it, forget the rest."""
        if revoked:
            self._observer.say("partitions.revoked", partitions=sorted({p.partition for p in revoked}))
        self._looks.clear()
        self.assigned = None
        self._begins.clear()
        await self.drain()

    async def drain(self) -> None:
        """End all lanes, those that are being opened too, and commit what they have finished."""
        await cancel_until_ended(self._opening)
        lanes, self._lanes = self._lanes, {}
        await self._end(lanes.values())

    def reopen(self, numbers: Iterable[int]) -> None:
        """End these lanes, and begin again as at an assignment; not waited for."""
        self._begin(self._reopen(frozenset(numbers)))

    async def _reopen(self, numbers: frozenset[int]) -> None:
        lanes = {number: self._lanes.pop(number) for number in numbers if number in self._lanes}
        try:
            await self._end(lanes.values())
        except asyncio.CancelledError:
            self._lanes |= lanes  # to be ended by whoever cancels us
            raise
        await self._open([(one.topic, one.partition) for one in self._group.partitions(lanes)])

    async def _end(self, lanes: Collection[Lane]) -> None:
        await asyncio.gather(*(lane.drain(DRAIN_SECONDS) for lane in lanes))
        await self._committer.commit(lanes)
        await self._committer.keep_committed(lanes)
        await asyncio.gather(*(lane.forget() for lane in lanes))

    def start_committing(self) -> None:
        """Commit what lanes finish, beside them."""
        self._committer.start(lambda: self._lanes.values())

    async def stop(self) -> None:
        """Drain, commit, and commit no more."""
        self._stopped = True
        await self._committer.stop()
        await self.drain()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, assigned: Collection[Partition]) -> None:
        """Start every lane where the last one stopped; one whose partition is not what it was stands meanwhile."""
        attempt = 0
        while assigned:
            try:
                assigned = await self._open_sound_ones(assigned)
                attempt = 0
            except IllegalStateError:
                return  # revoked again meanwhile
            except UnavailableError as error:
                attempt += 1
                self._observer.unavailable(error, attempt)
            except Exception as error:  # noqa: BLE001  # nothing dies: it is said, and tried again
                attempt += 1
                self._observer.fault(place_of(error))
            await asyncio.sleep(1 if attempt else LOOK_AGAIN_SECONDS if assigned else 0)

    async def _open_sound_ones(self, assigned: Collection[Partition]) -> Collection[Partition]:
        """Gives the partitions that stand."""
        judgements = await self._stream.judged(assigned)
        self._begins |= {partition: one.checkpoint.offset for partition, one in judgements.items()}
        unsound = {number for topic, number in assigned if _problem(judgements.get((topic, number)))}
        sound = {partition: one for partition, one in judgements.items() if partition[1] not in unsound}
        if sound:
            await self._stream.begin(sound)
            async with self._polling:  # whatever an earlier poll took is rewound by the seek
                await self._group.seek({partition: one.checkpoint.offset for partition, one in sound.items()})
                self._start(sound)
        self._tell(assigned, judgements)
        return [partition for partition in assigned if partition[1] in unsound]

    def _start(self, judgements: Mapping[Partition, Judgement]) -> None:
        starts: dict[int, dict[Partition, int]] = defaultdict(dict)
        for (topic, number), one in judgements.items():
            name = self._names[topic, number] = name_of(topic, one.checkpoint.life)
            starts[number][name, number] = one.checkpoint.offset
        self._looks = Counter({look: count for look, count in self._looks.items() if look[1] not in starts})
        for number, start in starts.items():
            self._lanes[number] = self._open_lane(number, start)
            self._lanes[number].start()

    def _tell(self, assigned: Collection[Partition], judgements: Mapping[Partition, Judgement]) -> None:
        """Say what was put right, and what stands: at the second look, since a new leader may take a moment."""
        for topic, number in assigned:
            judgement = judgements.get((topic, number))
            problem = _problem(judgement)
            if problem:
                self._looks[topic, number, problem] += 1
                if self._looks[topic, number, problem] == SURE:
                    self._observer.say(
                        "partition.stopped", "error",
                        topic=topic, partition=number, reason=problem, remedy="see `orderstream topics`",
                    )  # fmt: skip
            elif judgement and judgement.remark:
                self._observer.say(
                    "offset.overruled", "warning", topic=topic, partition=number, reason=judgement.remark
                )


def _problem(judgement: Judgement | None) -> str | None:
    return judgement.problem if judgement else "the topic is not there"
