"""A history: workers on a small world, whatever happens to them, and one last worker that ends it."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Final

from tests.histories.group import Group
from tests.histories.scene import Remains, Scene
from tests.histories.story import Story
from tests.histories.wire import Trouble
from tests.histories.worker import Worker
from tests.histories.world import World

EVENTS: Final = ("crash", "crash", "freeze", "freeze", "cut off", "join", "leave", "nothing")
CLEAN: Final = ("join", "leave", "nothing")  # they repeat nothing
LEAPS: Final = 0.35  # of the moments between two events
MOST_EVENTS: Final = 12
LAPSES: Final = (1.0, 4.0, 12.0, 25.0)  # seconds between two events
PAUSES: Final = (1.0, 7.0, 14.0, 20.0)  # seconds for which a process stands still or is cut off
RESTARTS: Final = (0.0, 1.0, 12.0)  # seconds until another process takes the place of a dead one
END_SECONDS: Final = 2_000.0  # after the last event everything must be done


class Cluster:
    """Members come and go; the topics and the servers stay."""

    def __init__(self, world: World) -> None:
        self.story = Story()
        self._chance = Random(f"{world.seed}/history")
        self._trouble = Trouble(self._chance, self.story)
        self._is_clean = self._trouble.is_over
        group = Group(world.logs, self._chance, self.story)
        self._scene = Scene(world, self._chance, self.story, group, self._trouble)
        self._group = asyncio.create_task(group.run())
        self._workers: list[Worker] = []
        self._started = 0
        self._is_over = False

    @property
    def may_repeat(self) -> bool:
        """Whether anything has happened after which outputs may be repeated."""
        return not self._is_clean

    async def play(self) -> Remains:
        """The history, to its end."""
        world = self._scene.world
        for _ in range(world.workers):
            self._start()
        for _ in range(self._chance.randint(1, MOST_EVENTS)):
            await asyncio.sleep(self._chance.choice(LAPSES))
            if self._scene.is_read:
                break
            self._happen(self._chance.choice(CLEAN if self._is_clean else EVENTS))
            if self._chance.random() < LEAPS and not world.quarrels:
                self._scene.leap()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._end()
        except TimeoutError:
            standing = [said for worker in self._workers for said in worker.standing]
            self._scene.faults.append(f"it comes to no end: {standing or 'no lane is open'}")
        self._group.cancel()
        return self._scene.remains()

    def _start(self) -> Worker:
        self._started += 1
        worker = Worker(f"w{self._started}", self._scene, self._restart)
        self.story.tell(worker.process.name, "starts")
        self._workers.append(worker)
        return worker

    def _restart(self) -> None:
        if not self._is_over:
            asyncio.get_running_loop().call_later(self._chance.choice(RESTARTS), self._start_again)

    def _start_again(self) -> None:
        if not self._is_over:
            self._start()

    @property
    def _living(self) -> list[Worker]:
        return [worker for worker in self._workers if not worker.process.is_dead]

    def _happen(self, event: str) -> None:
        if event == "join" or not self._living:
            self._start()
        elif event != "nothing":
            self._befall(self._chance.choice(self._living), event)

    def _befall(self, worker: Worker, event: str) -> None:
        match event:
            case "crash":
                worker.process.crash()
            case "freeze":
                worker.process.freeze(self._chance.choice(PAUSES))
            case "cut off":
                worker.process.cut_off(self._chance.choice(PAUSES))
            case _:
                worker.leave()

    async def _end(self) -> None:
        """No more trouble: whoever is there goes, one way or the other, and one last worker does the rest."""
        self.story.tell("time", "-- the last worker")
        self._trouble.end()
        self._is_over = True
        for worker in self._living:
            worker.leave() if self._is_clean or self._chance.random() < 0.5 else worker.process.crash()
        last = self._start()
        while not (await self._is_done() and self._living == [last]):
            await asyncio.sleep(2)
        last.leave()
        with suppress(asyncio.CancelledError):
            await last.task

    async def _is_done(self) -> bool:
        """Everything is read and committed, no request is on its way, and nothing waits; for that, time leaps."""
        if not self._scene.is_settled or self._trouble.underway:
            return False
        waiting = [one for number in self._scene.world.numbers for one in await self._scene.orders.waiting(number)]
        if any(one.mark is None for one in waiting):
            self._scene.leap()
        return self._scene.is_read and not waiting
