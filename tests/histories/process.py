"""A process of the worker as the operating system sees it: it runs, stands still, is cut off, or is dead."""

import asyncio
from collections.abc import Callable

from tests.histories.story import Story


class Process:
    """What it does between two waits cannot be interrupted; whatever it waits for, it may not live to see."""

    def __init__(self, name: str, story: Story, crashed: Callable[[], None]) -> None:
        self.name = name
        self.is_dead = False
        self._story, self._crashed = story, crashed
        self._tasks: list[asyncio.Task[None]] = []  # in their order: a history is to be the same each time
        self._frozen_until = self._cut_until = 0.0

    @property
    def is_cut_off(self) -> bool:
        """Whether it cannot reach the group's coordinator, though it reaches everything else."""
        return asyncio.get_running_loop().time() < self._cut_until

    def own(self, task: "asyncio.Task[None]") -> None:
        """The task dies with the process."""
        self._tasks.append(task)

    async def awake(self) -> None:
        """Return when it runs. Raises `CancelledError` where a dead process does nothing more."""
        while not self.is_dead and (left := self._frozen_until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)
        if self.is_dead:
            raise asyncio.CancelledError

    def crash(self) -> None:
        """It is gone, with all that it had in memory."""
        self._story.count("crashes")
        self._story.tell(self.name, "crashes")
        self.end()
        self._crashed()

    def end(self) -> None:
        """Nothing of it goes on."""
        self.is_dead = True
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def freeze(self, seconds: float) -> None:
        """It stands still, and does not know."""
        self._story.count("pauses")
        self._story.tell(self.name, "stands still for", seconds, "s")
        self._frozen_until = asyncio.get_running_loop().time() + seconds

    def cut_off(self, seconds: float) -> None:
        """It does not reach the group."""
        self._story.count("cuts")
        self._story.tell(self.name, "does not reach the group for", seconds, "s")
        self._cut_until = asyncio.get_running_loop().time() + seconds
