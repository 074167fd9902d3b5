"""How a worker is: its servers, asked once a second, and its lanes as they stand (interface 7)."""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping
from time import monotonic
from typing import Final, NamedTuple

from aiokafka import TopicPartition

from orderstream.group import KafkaGroup
from orderstream.lanes import Lanes
from orderstream.ledger import Partition
from orderstream.metrics import State
from orderstream.mongo import MongoOrders
from orderstream.readiness import Readiness, judged, of_partitions
from orderstream.trouble import UnavailableError

LOOK_SECONDS: Final = 1.0
SUM_UP_SECONDS: Final = 0.2
STUCK_SECONDS: Final = 10.0  # without a moment for summing up: nothing else gets one either
DEAD_SECONDS: Final = 60.0
STARVED_SECONDS: Final = 10.0  # with records at hand and room for them


class Place(NamedTuple):
    """Where reading stands in a partition, and since when."""

    position: int
    since: float


class Summary(NamedTuple):
    """What was known at a time of the monotonic clock."""

    readiness: Readiness
    at: float


class Health:
    """Knows at any moment whether the worker can do its work; any thread may ask, and waits for nobody."""

    def __init__(self, orders: MongoOrders, group: KafkaGroup, lanes: Lanes) -> None:
        self._orders, self._group, self._lanes = orders, group, lanes
        self._idle: str | None = "it is starting"
        self._mongo: str | None = None  # what is wrong with it
        self._kafka: str | None = None
        self._ends: Mapping[TopicPartition, int] = {}
        self._behind: Mapping[TopicPartition, Place] = {}  # partitions with records that could be read
        self._sum_up()

    def waits(self, reason: str) -> None:
        """Nothing runs yet, because of this."""
        self._idle = f"it has not started: {reason}"
        self._sum_up()

    def runs(self) -> None:
        """The start is over."""
        self._idle = None
        self._sum_up()

    def stops(self) -> None:
        """The end has begun."""
        self._idle = "it is stopping"
        self._sum_up()

    async def keep_looking(self) -> None:
        """For ever."""
        await asyncio.gather(self._keep_asking(), self._keep_summing_up())

    async def _keep_asking(self) -> None:
        while True:
            self._mongo, self._kafka = await asyncio.gather(_trouble(self._orders.ping()), _trouble(self._follow()))
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_summing_up(self) -> None:
        while True:
            self._sum_up()
            await asyncio.sleep(SUM_UP_SECONDS)

    def _sum_up(self) -> None:
        self._summary = Summary(self._judged(), monotonic())

    def is_alive(self) -> bool:
        """Whether the event loop still turns."""
        return monotonic() - self._summary.at < DEAD_SECONDS

    async def readiness(self) -> Readiness:
        """In words, as last summed up."""
        readiness, at = self._summary
        if monotonic() - at > STUCK_SECONDS:
            return judged([f"it has stood still for {monotonic() - at:.0f} s"], standby=False)
        return readiness

    def _judged(self) -> Readiness:
        return judged(self._reasons(), standby=not self._lanes.assigned)

    @property
    def state(self) -> State:
        """In numbers, as of the last look."""
        parked = sum(lane.parked for lane in self._lanes.open.values())
        return State(self._judged().state != "not ready", parked, self._lag(), self._standing())

    def _lag(self) -> Mapping[Partition, int]:
        finished = self._lanes.finished
        return {one: max(0, end - finished[one]) for one, end in self._ends.items() if one in finished}

    def _standing(self) -> Mapping[Partition, bool]:
        stuck = {*self._unreadable(), *self._starved()}
        numbers = self._lanes.standing.keys()
        return {one: one in stuck or one[1] in numbers for one in self._lanes.partitions}

    def _reasons(self) -> Iterator[str]:
        if self._mongo:
            yield f"MongoDB {self._mongo}"
        if self._kafka:
            yield f"Kafka {self._kafka}"
        if self._idle:
            yield self._idle
        elif self._lanes.assigned is None:
            yield "the group has not given it its partitions yet"
        yield from of_partitions(self._lanes.standing.items())
        yield from of_partitions((one.partition, f"{one.topic} cannot be read") for one in self._unreadable())
        yield from of_partitions((one.partition, f"{one.topic} has records, none is read") for one in self._starved())

    def _unreadable(self) -> Iterator[TopicPartition]:
        now = asyncio.get_running_loop().time()
        for partition, until in self._group.unreadable.items():
            if until > now and partition.partition in (self._lanes.assigned or ()):
                yield partition

    def _starved(self) -> Iterator[TopicPartition]:
        now = asyncio.get_running_loop().time()
        return (partition for partition, place in self._behind.items() if now - place.since > STARVED_SECONDS)

    async def _follow(self) -> None:
        """Keep where reading stands in the partitions that hold more for a lane that takes more."""
        ends = await self._group.ends(settled=self._lanes.assigned is not None)
        now = asyncio.get_running_loop().time()
        self._ends = ends
        positions = {one: await self._group.position(one) for one in self._lanes.wanted}
        self._behind = {
            one: self._place(one, position, now)
            for one, position in positions.items()
            if position is not None and position < ends.get(one, 0)
        }

    def _place(self, partition: TopicPartition, position: int, now: float) -> Place:
        before = self._behind.get(partition)
        return before if before and before.position == position else Place(position, now)


async def _trouble(look: Awaitable[None]) -> str | None:
    try:
        await look
    except UnavailableError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001  # nothing dies: it is told, and looked at again
        return f"could not be looked at ({type(error).__name__})"
    return None
