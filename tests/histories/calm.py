"""The same world, and nothing happens: all creates, then all updates, in one life of a lane."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Final

from orderstream.commands import Kind
from orderstream.decode import Contracts
from orderstream.ledger import Partition
from orderstream.pipeline import Lane
from orderstream.settlement import Surroundings
from tests.fakes import RecordingObserver
from tests.histories.group import Group
from tests.histories.scene import Remains, Scene
from tests.histories.story import Story
from tests.histories.wire import Trouble
from tests.histories.world import PARK_SECONDS, World

CONTRACTS: Final = Contracts()
PATIENCE: Final = 1_000.0


async def undisturbed(world: World) -> Remains:
    """What must come of the world. Raises `TimeoutError` when it does not come to an end."""
    run = _Run(world)
    async with asyncio.timeout(PATIENCE):
        for number in world.numbers:
            await run.lane(number)
    return run.scene.remains()


class _Run:
    def __init__(self, world: World) -> None:
        chance, story = Random(world.seed), Story()
        self.scene = Scene(world, chance, story, Group(world.logs, chance, story), Trouble(chance, story))
        self._around = Surroundings(
            orders=self.scene.orders,
            outputs=self.scene.outputs,
            observer=RecordingObserver(),
            group=_Alone(self.scene),
            contracts=CONTRACTS,
            create_topic=Kind.CREATE,
            park_seconds=PARK_SECONDS,
            now=self.scene.now,
        )

    async def lane(self, number: int) -> None:
        """One partition number, from its beginning until everything is read and nothing waits."""
        topics = [(kind.value, number) for kind in (Kind.CREATE, Kind.UPDATE)]
        lane = Lane(number, dict.fromkeys(topics, 0), self._around)
        lane.start()
        while not self._is_done(lane):
            for topic in topics:
                await self._read(lane, topic)
            if self.scene.orders._waiting:
                self.scene.leap()
                await _until(lambda: not self.scene.orders._waiting)
        await lane.drain(PATIENCE)

    def _is_done(self, lane: Lane) -> bool:
        return all(lane.finished[topic] == len(self.scene.world.logs[topic]) for topic in lane.finished)

    async def _read(self, lane: Lane, topic: Partition) -> None:
        """What is sent by now; where orders quarrel, record by record: then no batch has to be cut."""
        log = self.scene.world.logs[topic][lane.finished[topic] : self.scene.end_of(topic)]
        records = [sending.record for sending in log]
        for portion in [[record] for record in records] if self.scene.world.quarrels else [records]:
            end = lane.finished[topic] + len(portion)
            lane.accept(portion)
            await _until(lambda end=end: lane.finished[topic] == end)  # type: ignore[misc]
            self.scene.group.committed |= lane.finished
            self.scene.group.keep(lane.finished)
            lane.committed.update(lane.finished)


class _Alone:
    """A group of one."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        return {partition: self._scene.group.kept[partition] for partition in partitions}

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:  # noqa: ARG002  # any offsets
        return True

    async def is_at_end(self, partition: Partition) -> bool:
        return self._scene.group.kept[partition] == self._scene.end_of(partition)


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.5)
