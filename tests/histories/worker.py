"""A process of the worker: real lanes, and around them what `orderstream.lanes` does with a consumer."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from orderstream.answers import Decided
from orderstream.commands import Kind
from orderstream.decode import Contracts
from orderstream.failpoints import PlantedError, Step
from orderstream.order import Position
from orderstream.pipeline import Lane
from orderstream.settlement import Surroundings
from orderstream.trouble import System, UnavailableError
from tests.histories.ports import WiredGroup, WiredOrders, WiredOutputs
from tests.histories.process import Process
from tests.histories.scene import Scene
from tests.histories.wire import Wire
from tests.histories.world import PARK_SECONDS

DRAIN_SECONDS: Final = 8.0
POLLS: Final = (0.1, 0.5, 2.0)  # seconds between two
PORTIONS: Final = (0, 1, 1, 2, 3, 7)  # records of a partition that a poll may bring
CREATES: Final = (0, 0, 0, 1, 1, 3)  # of creates: they fall behind
CONTRACTS: Final = Contracts()


class Worker:
    """Joins the group, hands records to lanes, commits what they finish, and leaves when asked to."""

    def __init__(self, name: str, scene: Scene, crashed: Callable[[], None]) -> None:
        self.process = Process(name, scene.story, crashed)
        self._scene, self._chance = scene, scene.chance
        wire = Wire(self.process, scene.trouble, scene.story)
        self._group = WiredGroup(scene.group, wire, self.process, scene.end_of)
        self._around = self._surroundings(wire)
        self._lanes: dict[int, Lane] = {}
        self._portions = {Kind.CREATE.value: self._chance.choice((PORTIONS, CREATES)), Kind.UPDATE.value: PORTIONS}
        self._is_leaving = False
        self.task = asyncio.create_task(self._run(), name=name)
        self.process.own(self.task)

    @property
    def standing(self) -> list[str]:
        """Why its lanes do not move."""
        return [f"lane {number} of {self.process.name}: {lane.standing}" for number, lane in self._lanes.items()]

    def leave(self) -> None:
        """Stop cleanly, as soon as it gets to it."""
        self._scene.story.tell(self.process.name, "is asked to stop")
        self._is_leaving = True

    async def _run(self) -> None:
        await self._join()
        while not self._is_leaving:
            await asyncio.sleep(self._chance.choice(POLLS))
            await self.process.awake()
            await self._poll()
        await self._revoke()
        self._scene.group.leave(self._group.membership)
        self._scene.story.tell(self.process.name, "has stopped")
        self.process.end()

    async def _poll(self) -> None:
        if self.process.is_cut_off:
            self._hand_over()
        elif not self._scene.group.is_settled_for(self._group.membership):
            await self._revoke()
            await self._join()
        else:
            for lane in self._lanes.values():
                lane.hear()
            self._hand_over()
            if self._chance.random() < 0.5:
                await self._commit(self._lanes.values())

    async def _join(self) -> None:
        while self.process.is_cut_off:
            await asyncio.sleep(1)
        self._group.membership, numbers = await self._scene.group.join(self.process.name)
        await self.process.awake()
        for number in numbers:
            await self._open(number)

    async def _open(self, number: int) -> None:
        """Begin where the last owner stopped."""
        partitions = [partition for partition in self._scene.world.logs if partition[1] == number]
        while True:
            try:
                start = await self._group.committed(partitions)
                break
            except UnavailableError:
                await asyncio.sleep(1)
        self._group.handed.update(start)
        self._lanes[number] = lane = Lane(number, start, self._around)
        lane.start()
        self.process.own(_task_of(lane))

    def _hand_over(self) -> None:
        for lane in self._lanes.values():
            for partition in [one for one in lane.finished if lane.wants(Kind(one[0]))]:
                first = self._group.handed[partition]
                last = min(first + self._chance.choice(self._portions[partition[0]]), self._scene.end_of(partition))
                lane.accept(sending.record for sending in self._scene.world.logs[partition][first:last])
                self._group.handed[partition] = max(first, last)

    async def _revoke(self) -> None:
        """Finish what is in hand, commit it, forget the rest."""
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(lane.drain(DRAIN_SECONDS) for lane in lanes))
        await self._commit(lanes)
        await asyncio.gather(*(lane.forget() for lane in lanes))
        for lane in lanes:
            task = _task_of(lane)
            if not task.cancelled() and (error := task.exception()):
                self._scene.faults.append(f"lane {lane.number} died of {error!r}")

    async def _commit(self, lanes: Collection[Lane]) -> None:
        finished = {p: o for lane in lanes for p, o in lane.finished.items() if lane.committed.get(p) != o}
        if not finished:
            return
        try:
            await self._group.keep(finished)
            is_taken = await self._group.confirms(finished)
        except UnavailableError:
            return
        for lane in lanes if is_taken else ():
            lane.hear()
            lane.committed.update({p: o for p, o in finished.items() if p in lane.committed})

    def _surroundings(self, wire: Wire) -> Surroundings:
        return Surroundings(
            orders=WiredOrders(self._scene.orders, wire),
            outputs=WiredOutputs(self._scene.outputs, wire),
            observer=_Witness(self.process, self._scene),
            group=self._group,
            contracts=CONTRACTS,
            create_topic=Kind.CREATE,
            park_seconds=PARK_SECONDS,
            now=self._scene.now,
            reached=self._reached,
        )

    def _reached(self, step: Step) -> None:
        """Between two steps a process may crash, or a fault of its own may show."""
        if self.process.is_dead:
            raise asyncio.CancelledError
        if not self._scene.trouble.breaks():
            return
        if self._chance.random() < 0.5:
            self._scene.story.tell(self.process.name, "fails after", step)
            raise PlantedError
        self._scene.story.tell(self.process.name, "ends after", step)
        self.process.crash()
        raise asyncio.CancelledError


class _Witness:
    """Writes down what lanes say; they must not complain of anything that nobody has done to them."""

    def __init__(self, process: Process, scene: Scene) -> None:
        self._name, self._scene = process.name, scene

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        self._scene.story.tell(self._name, "has done in lane", lane, decided.answers, decided.taken)

    def unavailable(self, error: UnavailableError, attempt: int) -> None:
        """The wire has told that."""

    def available(self, system: System) -> None:
        """Nothing to tell."""

    def failed(self, lane: int, reason: str, attempt: int) -> None:
        self._scene.story.tell(self._name, "in lane", lane, "tries again after", reason, attempt)
        if PlantedError.__name__ not in reason:
            self._scene.faults.append(f"lane {lane} failed: {reason}")

    def stopped(self, lane: int, position: Position, reason: str) -> None:
        self._scene.faults.append(f"lane {lane} stands at {position}: {reason}")


def _task_of(lane: Lane) -> "asyncio.Task[None]":
    assert lane._task
    return lane._task
