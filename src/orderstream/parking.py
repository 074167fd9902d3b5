"""Updates that came before their create and wait for it, as one batch sees and changes them (pure; design 3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from orderstream.commands import Command, Operation, Record
from orderstream.order import Decision, Order, Position
from orderstream.problems import Problem

MAX_WAITING: Final = 1_000  # updates that may wait for one address
MAX_WAITING_BYTES: Final = 8 * 2**20  # of their values


class Parked(NamedTuple):
    """An update whose order is not there yet; *since*: when the worker parked it."""

    record: Record
    command: Command
    since: datetime


class Mark(NamedTuple):
    """An update that waited and is decided, and whose outputs may not be out."""

    record: Record
    order_id: str | None
    sequences: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0


Waiting: TypeAlias = Parked | Mark
Changes: TypeAlias = Mapping[Position, Waiting | None]  # None: it waits no longer and has nothing to tell


def may_wait(command: Command) -> bool:
    """Whether the upstream could know every address of this update before its create is stored."""
    return command.operation is not Operation.CREATE and all(address.guessable for address in command.addresses)


def mark_of(record: Record, order_id: str, decision: Decision) -> Mark | None:
    """What is left of an update that was decided: a mark, if there is anything to publish."""
    if not decision.sequences and decision.outcome != "rejected":
        return None
    return Mark(record, order_id, decision.sequences, decision.problems, decision.problem_count)


class Parking:
    """The waiting updates of one lane; those that are read again wait for their turn."""

    def __init__(self, waiting: Mapping[Position, Waiting], to_come: Iterable[Position]) -> None:
        self._parked = {position: one for position, one in waiting.items() if isinstance(one, Parked)}
        self._marks = {position for position, one in waiting.items() if isinstance(one, Mark)}
        self._stored = waiting.keys()
        self._turns = {position: self._parked.pop(position) for position in to_come if position in self._parked}
        self._by_key: dict[str, set[Position]] = defaultdict(set)
        for one in self._parked.values():
            self._add(one)
        self.changes: dict[str | None, dict[Position, Waiting | None]] = defaultdict(dict)

    def next_for(self, order: Order) -> Parked | None:
        """The earliest update that waits for one of the order's addresses."""
        if not self._by_key:
            return None
        waiting = {position for key in order.lookup_keys for position in self._by_key.get(key, ())}
        return self._parked[min(waiting, key=lambda position: position.offset)] if waiting else None

    def turn_of(self, position: Position) -> Parked | None:
        """An update that waited and is in the batch again: now it is its turn."""
        parked = self._turns.pop(position, None)
        if parked:
            self._parked[position] = parked
            self._add(parked)
        return parked

    def knows(self, position: Position) -> bool:
        """Whether this update waits, or is decided and marked."""
        return position in self._parked or position in self._marks

    def get(self, position: Position) -> Parked | None:
        """The update that waits at this position."""
        return self._parked.get(position)

    def is_full_for(self, command: Command) -> bool:
        """Whether too many wait already for one of its addresses."""
        return any(self._is_full(self._by_key.get(key, set())) for key in command.keys)

    def park(self, parked: Parked) -> None:
        """Let it wait."""
        position = parked.record.position
        self._parked[position] = parked
        self._add(parked)
        self.changes[None][position] = parked

    def settle(self, position: Position, order_id: str | None, mark: Mark | None) -> None:
        """It is decided, in the write of this order; an update that never waited leaves no trace here."""
        parked = self._parked.pop(position, None)
        for key in parked.command.keys if parked else ():
            self._by_key[key].discard(position)
        for changes in self.changes.values():
            changes.pop(position, None)
        if position in self._stored or order_id is None:
            self.changes[order_id][position] = mark
        if mark:
            self._marks.add(position)

    def _add(self, parked: Parked) -> None:
        for key in parked.command.keys:
            self._by_key[key].add(parked.record.position)

    def _is_full(self, positions: set[Position]) -> bool:
        size = sum(len(self._parked[position].record.value or b"") for position in positions)
        return len(positions) >= MAX_WAITING or size >= MAX_WAITING_BYTES


def related(waiting: Mapping[Position, Waiting], keys: Iterable[str]) -> set[str]:
    """Every address that a batch with these keys may come upon through updates that wait."""
    near = set(keys)
    parked = [one for one in waiting.values() if isinstance(one, Parked)]
    while True:
        taken = [one.command for one in parked if not near.isdisjoint(one.command.keys)]
        grown = near.union(*(command.keys for command in taken), *(command.brought for command in taken))
        if len(grown) == len(near):
            return grown
        near = grown
