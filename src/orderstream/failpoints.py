"""Faults on purpose, for tests: they exist only when `ORDERSTREAM_FAILPOINT` asks for one."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

Step: TypeAlias = Literal["decode", "load", "decide", "write", "publish", "finish", "commit"]
VARIABLE: Final = "ORDERSTREAM_FAILPOINT"


class PlantedError(Exception):
    """A fault of the worker itself, as a test asked for it."""


def failpoint(asked: str | None) -> Callable[[Step], None]:
    """What is called when a step is done: nothing, or what *asked* says, `step:nth time:kill|stop|raise`."""
    if asked is None:
        return nothing
    step, nth, action = asked.split(":")
    reached: Counter[str] = Counter()

    def reach(done: Step) -> None:
        reached[done] += 1
        if done == step and reached[done] == int(nth):
            _act(action)

    return reach


def nothing(done: Step) -> None:
    """No fault was asked for."""


def _act(action: str) -> None:
    if action == "raise":
        raise PlantedError
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[action])
