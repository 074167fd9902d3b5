"""What goes into a batch and what comes out of it, as values (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from orderstream.commands import Command, Kind, Operation, Record
from orderstream.dialect import Rules
from orderstream.dialects import DIALECTS
from orderstream.ledger import Progress
from orderstream.order import Order, Position
from orderstream.outcomes import Refusal
from orderstream.parking import Changes, Mark, Parked, Waiting
from orderstream.problems import Problem
from orderstream.status_event import Event

OTHER: Final = "other"  # how a dialect or an operation is counted that is none of ours

_OPERATIONS: Final = frozenset(operation.value for operation in Operation)

BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)

EXPIRED: Final = "its create did not come in time"

Verdict: TypeAlias = Literal["applied", "unchanged", "rejected", "parked"]


class NotLookedUpError(Exception):
    """A create that was not loaded meets an order: the batch must be loaded by all its addresses."""


class BelowFloorError(Exception):
    """A record whose decision was dropped from the ledger comes again: somebody is late, or offsets went back."""

    def __init__(self, position: Position, order_id: str) -> None:
        super().__init__(f"{position} is older than the ledger of order {order_id} goes back")
        self.position = position


class AnotherRecordError(Exception):
    """A position in the ledger belongs to another record: the topic is not the one it was."""

    def __init__(self, position: Position, order_id: str | None) -> None:
        taken = f"when order {order_id} took it" if order_id else "when it began to wait"
        super().__init__(f"{position} was another record {taken}; was the topic made again?")
        self.position = position


class Item(NamedTuple):
    """A record and what it says."""

    record: Record
    judged: Command | Refusal


class Write(NamedTuple):
    """An order to be stored; *before* is what it is guarded by, None for a new one."""

    before: Order | None
    after: Order
    waits: Changes = MappingProxyType({})  # what becomes of updates that waited for it, in the same transaction


class Answer(NamedTuple):
    """What came of one record."""

    record: Record
    command: Command | None
    order_id: str | None
    verdict: Verdict
    reason: str | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    repeated: bool = False  # decided in an earlier life


def outcome_of(answer: Answer) -> str:
    """How the answer is counted: what was decided in an earlier life is `repeated`."""
    return "repeated" if answer.repeated else answer.verdict


def dialect_of(answer: Answer) -> str:
    """The dialect that the message names, `other` if it names none of ours."""
    if answer.command:
        return answer.command.dialect
    named = _sent(answer.record, "dialect")
    return named if named is not None and named in DIALECTS else OTHER


def operation_of(answer: Answer) -> str:
    """The operation that the message names, `other` if it names none of ours."""
    if answer.command:
        return answer.command.operation
    named = _sent(answer.record, "operation")
    if named is None and answer.record.kind is Kind.CREATE:
        return Operation.CREATE
    return named if named is not None and named in _OPERATIONS else OTHER


def _sent(record: Record, wanted: str) -> str | None:
    return next((value.decode(errors="replace") for name, value in record.headers if name == wanted and value), None)


class Decided(NamedTuple):
    """All of a batch, or as much as could be decided before something must be written."""

    answers: tuple[Answer, ...]
    writes: tuple[Write, ...]
    events: tuple[Event, ...]
    taken: tuple[Answer, ...]  # on updates that waited, and outputs of marks
    waits: Changes  # what becomes of updates that wait and have no order
    absent: tuple[str, ...]  # keys that found nothing and that a refusal rests on
    unfinished: Position | None = None  # a record without answer yet: more updates wait for its order


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a batch needs to know besides orders and records."""

    rules: Mapping[str, Rules] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    numbers: Mapping[Position, int] = field(default_factory=dict)  # taken from the counter of int64 ids
    attempts: Mapping[Position, int] = field(default_factory=dict)  # how often a generated number was taken
    unstorable: frozenset[Position] = frozenset()  # records that would leave behind what no document can hold
    blind: bool = False  # creates were not loaded
    now: datetime = BEFORE_ALL  # for updates that begin to wait
    waiting: Mapping[Position, Waiting] = field(default_factory=dict)  # updates of this lane
    expired: Sequence[Parked] = ()
    untold: Sequence[Mark] = ()
