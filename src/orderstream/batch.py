"""One attempt at one batch: each record decided once, in memory, on the orders as they were loaded (pure; design 3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from orderstream.commands import Command, Operation, Record
from orderstream.decide import meet, not_found, update
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Rules
from orderstream.dialects import DIALECTS
from orderstream.fold import created
from orderstream.identity import Identities, document_id
from orderstream.ledger import Progress, entered, tidied
from orderstream.order import Decision, Order, Position
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from orderstream.problems import Problem
from orderstream.status_event import Event, event_of

Verdict: TypeAlias = Literal["applied", "unchanged", "rejected"]


class NotLookedUpError(Exception):
    """A create that was not loaded meets an order: the batch must be loaded by all its addresses."""


class BelowFloorError(Exception):
    """A record whose decision was dropped from the ledger comes again: somebody is late, or offsets went back."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"{position} is older than the ledger of its order goes back")
        self.position = position


class AnotherRecordError(Exception):
    """A position in the ledger belongs to another record: the topic is not the one it was."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"{position} was another record when it was decided; was the topic made again?")
        self.position = position


class Item(NamedTuple):
    """A record and what it says."""

    record: Record
    judged: Command | Refusal


class Write(NamedTuple):
    """An order to be stored; *before* is what it is guarded by, None for a new one."""

    before: Order | None
    after: Order


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


class Decided(NamedTuple):
    """All of a batch, or as much as could be decided before something must be written."""

    answers: tuple[Answer, ...]
    writes: tuple[Write, ...]
    events: tuple[Event, ...]
    repeats: int  # events that went out before, or may have
    absent: tuple[str, ...]  # keys that found nothing and that a refusal rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a batch needs to know besides orders and records."""

    rules: Mapping[str, Rules] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    numbers: Mapping[Position, int] = field(default_factory=dict)  # taken from the counter of int64 ids
    attempts: Mapping[Position, int] = field(default_factory=dict)  # how often a generated number was taken
    unstorable: frozenset[Position] = frozenset()  # records that would leave behind what no document can hold
    blind: bool = False  # creates were not loaded


def decide(items: Sequence[Item], stored: Iterable[Order], about: Circumstances) -> Decided:
    """Decide *items* in their order on the orders *stored*.

    Raises `NotLookedUpError`, `BelowFloorError` and `AnotherRecordError`.
    """
    batch = _Batch(stored, about)
    for item in items:
        if not batch.settle(item):
            break
    return batch.decided()


class _Batch:
    def __init__(self, stored: Iterable[Order], about: Circumstances) -> None:
        self._about = about
        self._stored = {order.id: order for order in stored}
        self._orders = dict(self._stored)
        self._holders = {key: order.id for order in self._stored.values() for key in order.lookup_keys}
        self._touched: dict[str, None] = {}
        self._answers: list[Answer] = []
        self._sequences: dict[str, dict[int, str | None]] = defaultdict(dict)  # order -> event -> trace
        self._repeats = 0
        self._absent: list[str] = []

    def settle(self, item: Item) -> bool:
        """Decide one record; False when it depends on what is not yet written of another order."""
        record, judged = item
        if isinstance(judged, Refusal):
            self._reject(record, None, judged)
            return True
        found = self._found(judged)
        known = self._known(judged, found)
        if known:
            self._answer_again(record, judged, *known)
            return True
        self._guard(judged, found)
        target = self._target(judged, found)
        if any(order.id in self._touched for order in found if order is not target):
            return False
        self._settle_on(record, judged, target)
        return True

    def decided(self) -> Decided:
        """The batch so far."""
        events = tuple(self._events())
        return Decided(
            answers=tuple(self._answers),
            writes=tuple(self._write(id_) for id_ in self._touched),
            events=events,
            repeats=self._repeats,
            absent=tuple(self._absent),
        )

    def _found(self, command: Command) -> list[Order]:
        """Every order that any address of the command finds, first found first."""
        ids = [self._holders[key] for key in (*command.keys, *command.brought) if key in self._holders]
        if command.operation is Operation.CREATE:
            ids.append(document_id(command.at, command.position))
        orders = (self._orders[id_] for id_ in dict.fromkeys(ids) if id_ in self._orders)
        return [order for order in orders if command.tenant in (None, order.tenant)]

    @staticmethod
    def _known(command: Command, found: Sequence[Order]) -> tuple[Order, Decision] | None:
        for order in found:
            for decision in order.ledger.decisions:
                if decision.position == command.position:
                    if decision.digest != command.digest:
                        raise AnotherRecordError(command.position)
                    return order, decision
        return None

    def _guard(self, command: Command, found: Sequence[Order]) -> None:
        for order in found:
            if command.position.offset <= order.ledger.dropped.get(command.position[:2], -1):
                raise BelowFloorError(command.position)
        if found and self._about.blind and command.operation is Operation.CREATE:
            raise NotLookedUpError

    def _target(self, command: Command, found: Sequence[Order]) -> Order | None:
        """The order that takes the decision; lines that an update brings do not name one."""
        if command.operation is Operation.CREATE:
            return next(iter(found), None)
        return next((order for order in found if not set(command.keys).isdisjoint(order.lookup_keys)), None)

    def _settle_on(self, record: Record, command: Command, order: Order | None) -> None:
        dialect, rules = DIALECTS[command.dialect], self._about.rules.get(command.dialect, AS_THE_CONTRACTS_SAY)
        ids = self._identities(command, order)
        if command.position in self._about.unstorable:
            self._refuse(record, command, order, Refusal.unstorable())
        elif order is None and command.operation is Operation.CREATE:
            new = created(command, dialect, rules, ids)
            self._enter(record, command, new, Applied(new, event=True))
        elif order is None:
            self._absent += command.keys
            self._reject(record, command, Refusal.of(not_found(command)))
        elif command.operation is Operation.CREATE:
            self._enter(record, command, order, meet(order, command))
        else:
            holder = order.id
            outcome = update(order, command, dialect, rules, ids, lambda key: self._holders.get(key, holder) != holder)
            self._enter(record, command, order, outcome)

    def _refuse(self, record: Record, command: Command, order: Order | None, refusal: Refusal) -> None:
        if order is None:
            self._reject(record, command, refusal)
        else:
            self._enter(record, command, order, refusal)

    def _identities(self, command: Command, order: Order | None) -> Identities:
        return Identities(
            document=order.id if order else document_id(command.at, command.position),
            position=command.position,
            number=self._about.numbers.get(command.position),
            attempt=self._about.attempts.get(command.position, 0),
        )

    def _enter(self, record: Record, command: Command, order: Order, outcome: Outcome) -> None:
        """Keep the decision in the order that takes it, and answer."""
        after, decision = entered(command, order, outcome)
        self._put(after)
        self._touched[after.id] = None
        for sequence in decision.sequences:
            self._sequences[after.id][sequence] = command.traceparent
        self._repeats += isinstance(outcome, Unchanged) and outcome.again
        self._answers.append(_answer(record, command, after.id, decision))

    def _write(self, id_: str) -> Write:
        before = self._stored.get(id_)
        return Write(before, tidied(before, self._orders[id_], self._about.progress))

    def _put(self, order: Order) -> None:
        before = self._orders.get(order.id)
        self._orders[order.id] = order
        if before is not None and before.lookup_keys != order.lookup_keys:
            for key in before.lookup_keys:
                self._holders.pop(key, None)
        if before is None or before.lookup_keys != order.lookup_keys:
            self._holders.update(dict.fromkeys(order.lookup_keys, order.id))

    def _answer_again(self, record: Record, command: Command, order: Order, decision: Decision) -> None:
        """The record was decided in an earlier life: the same outputs again, unchanged."""
        for sequence in decision.sequences:
            self._sequences[order.id].setdefault(sequence, None)
        self._repeats += len(decision.sequences)
        self._answers.append(_answer(record, command, order.id, decision)._replace(repeated=True))

    def _reject(self, record: Record, command: Command | None, refusal: Refusal) -> None:
        problems = refusal.problems
        self._answers.append(Answer(record, command, None, "rejected", None, problems, len(problems)))

    def _events(self) -> Iterable[Event]:
        """Each order's events in their order, earlier ones that may not be out before them."""
        for id_, wanted in self._sequences.items():
            order = self._orders[id_]
            earlier = self._earlier(order, max(wanted)) - wanted.keys()
            self._repeats += len(earlier)
            for sequence in sorted(earlier | wanted.keys()):
                yield event_of(order, sequence, wanted.get(sequence))

    def _earlier(self, order: Order, last: int) -> set[int]:
        entries = (entry for entry in order.ledger.decisions if entry.outcome == "applied")
        unsure = (entry for entry in entries if not self._about.progress.is_out(entry.position))
        return {sequence for entry in unsure for sequence in entry.sequences if sequence < last}


def _answer(record: Record, command: Command, order_id: str, decision: Decision) -> Answer:
    return Answer(
        record,
        command,
        order_id,
        decision.outcome,
        decision.reason,
        decision.problems,
        decision.problem_count,
    )
