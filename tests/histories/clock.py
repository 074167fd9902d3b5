"""An event loop without input and output, whose time is whatever it has to be."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Clock(asyncio.BaseEventLoop):
    """Jumps to the next thing to do; it asks no operating system, so it is faster than `tests.fakes.JumpingLoop`."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self  # what the loop asks for events

    def time(self) -> float:
        """Seconds that would have passed."""
        return self._now

    def select(self, timeout: float | None) -> tuple[()]:
        """Nothing comes from outside. Raises `RuntimeError` when nothing is left to do inside either."""
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self._now += timeout
        return ()

    def _process_events(self, event_list: tuple[()]) -> None:
        """There are none."""


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it on a clock of its own, and end whatever it has left running."""
    clock = Clock()
    try:
        return clock.run_until_complete(coroutine)
    finally:
        left = asyncio.all_tasks(clock)
        for task in left:
            task.cancel()
        clock.run_until_complete(_ended(left))
        clock.close()


async def _ended(tasks: set["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
