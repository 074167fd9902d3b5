"""What happened in a history, so that people can read it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from orderstream.answers import Answer, Write
from orderstream.order import Order
from orderstream.parking import Mark, Parked
from orderstream.ports import Fence, WaitingRecord, Written
from orderstream.status_event import Event


class Story:
    """Steps as they happen, with the time; they become text only when somebody wants to read them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._steps: list[tuple[float, str, tuple[object, ...]]] = []

    def tell(self, who: str, *what: object) -> None:
        """Words, and values that do not change any more."""
        self._steps.append((asyncio.get_running_loop().time(), who, what))

    def count(self, what: str) -> None:
        """Another one of these."""
        self.counts[what] += 1

    def __str__(self) -> str:
        return "\n".join(f"{at:9.3f}  {who:<8} {' '.join(map(_text, what))}".rstrip() for at, who, what in self._steps)


def _text(value: object) -> str:
    """Short, and the same in every process."""
    for kind, text in _TEXTS.items():
        if isinstance(value, kind):
            return text(value)
    return str(value)


def _of_mapping(values: Mapping[object, object]) -> str:
    return "{" + ", ".join(sorted(f"{_name(name)} {_text(one)}" for name, one in values.items())) + "}"


def _name(name: object) -> str:
    return "/".join(map(str, name)) if isinstance(name, tuple) else str(name)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {  # the first that fits
    Write: lambda write: _text(write.after) + (f" with {_text(write.waits)}" if write.waits else ""),
    Order: lambda order: f"{order.id[-4:]}@{order.ledger.version}",
    Event: lambda event: f"{event.order_id[-4:]}:{event.sequence}",
    Answer: lambda answer: f"{answer.record.position} {answer.verdict}" + (" again" if answer.repeated else ""),
    Written: lambda written: "done" if written.done else f"not done, taken {_text(written.taken)}",
    WaitingRecord: lambda one: f"{one.record.position} {'marked' if one.mark else 'waits'}",
    Parked: lambda _: "waits",
    Mark: lambda _: "is marked",
    Fence: lambda fence: f"epoch {fence.epoch} of {fence.lane}",
    str: str,
    Mapping: _of_mapping,
    Sequence: lambda values: "[" + ", ".join(map(_text, values)) + "]",
    float: lambda seconds: f"{seconds:.1f}",
}
