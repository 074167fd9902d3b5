"""One attempt at one batch: each record decided once, in memory, on the orders as they were loaded (pure; design 3)."""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from orderstream.announcements import Announcements
from orderstream.answers import (
    EXPIRED,
    AnotherRecordError,
    Answer,
    BelowFloorError,
    Circumstances,
    Decided,
    Item,
    NotLookedUpError,
    Write,
)
from orderstream.commands import Command, Operation, Record
from orderstream.decide import meet, not_found, update
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Rules
from orderstream.dialects import DIALECTS
from orderstream.fold import created
from orderstream.identity import Identities, document_id
from orderstream.ledger import entered, recounted, tidied
from orderstream.order import Decision, Order, Position
from orderstream.orders_at_hand import CutError, OrdersAtHand, known, target
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from orderstream.parking import Mark, Parked, Parking, mark_of, may_wait
from orderstream.status_event import Repeat

MOST_FOLDED: Final = 2**20  # bytes of orders that updates go over: up to a second in which nobody else has a turn


class _EnoughError(Exception):
    """More updates wait for an order than others can be kept waiting for: the record that found them goes on later."""


def decide(items: Sequence[Item], stored: Iterable[Order], about: Circumstances) -> Decided:
    """Decide *items* in their order on the orders *stored*.

    Raises `NotLookedUpError`, `BelowFloorError` and `AnotherRecordError`.
    """
    batch = _Batch(stored, about, items)
    try:
        for item in items:
            batch.settle(item)
            if batch.is_full:
                break
        batch.expire()
    except CutError:
        return decide(items[: batch.count], stored, about)
    except _EnoughError:
        return batch.decided()._replace(unfinished=items[batch.count].record.position)
    return batch.decided()


class _Batch:
    def __init__(self, stored: Iterable[Order], about: Circumstances, items: Sequence[Item]) -> None:
        self._about = about
        self._orders = OrdersAtHand(stored)
        self._answers: list[Answer] = []
        self._announcements = Announcements(about.progress)
        self._absent: list[str] = []
        self._taken: list[Answer] = []
        self._folded = 0  # bytes
        self._parking = Parking(about.waiting, _to_come(items, about))
        for mark in about.untold:
            self._tell(mark)

    @property
    def count(self) -> int:
        """How many records are decided."""
        return len(self._answers)

    @property
    def is_full(self) -> bool:
        """Whether the rest is for a batch of its own: every update of a large order goes over the whole of it."""
        return self._folded > MOST_FOLDED

    def settle(self, item: Item) -> None:
        """Decide one record, and the updates that waited for what it brings."""
        record, judged = item
        waits = self._about.waiting.get(record.position)
        if waits and waits.record.digest() != record.digest():
            raise AnotherRecordError(record.position, waits.order_id if isinstance(waits, Mark) else None)
        if isinstance(judged, Refusal):
            self._answers.append(_rejection(record, None, judged))
        elif self._parking.turn_of(record.position):
            self._take_turn(record, judged)
        else:
            self._answers.append(self._answer(record, judged))

    def expire(self) -> None:
        """Updates that have waited long enough: their order may have come another way; else they are refused."""
        for record, command, _ in self._about.expired:
            if self._parking.get(record.position) is None or self.is_full:
                continue
            found = self._orders.found(command)
            if known(command, found) or target(command, found):
                self._take(record, command, self._reading(record.position))
            else:
                self._absent += command.keys
                self._give_up(record, command, EXPIRED)

    def _answer(self, record: Record, command: Command) -> Answer:
        found = self._orders.found(command)
        if before := known(command, found):
            answer = self._again(record, command, *before)
            self._take_along(before[0].id, record.position)
            return answer
        if self._parking.knows(record.position):
            return Answer(record, command, None, "parked", repeated=True)
        self._guard(command, found)
        order = target(command, found)
        if order is not None and command.operation is not Operation.CREATE:
            self._take_along(order.id, record.position)
            found = self._orders.found(command)
            order = target(command, found)
        answer = self._settle_on(record, command, order, found)
        if answer.order_id is not None:
            self._take_along(answer.order_id, record.position)
        return answer

    def _take_turn(self, record: Record, command: Command) -> None:
        """An update that waited since an earlier life is in the batch again."""
        found = self._orders.found(command)
        before = known(command, found)
        order = before[0] if before else target(command, found)
        if order is not None:
            self._take_along(order.id, record.position)
            if self._parking.get(record.position):
                self._take(record, command, record.position)
            self._take_along(order.id, record.position)
        self._answers.append(Answer(record, command, order and order.id, "parked", repeated=True))

    def _take_along(self, order_id: str, at: Position) -> None:
        """Decide the updates that wait for an address the order has, in the order of their offsets."""
        while parked := self._parking.next_for(self._orders.now[order_id]):
            if self.is_full:
                raise _EnoughError
            self._take(parked.record, parked.command, at)

    def _take(self, record: Record, command: Command, at: Position) -> None:
        """Decide an update that waited; its document becomes a mark in the write of its order."""
        found = self._orders.found(command)
        if before := known(command, found):  # a stale owner may have decided it already
            order, decision = before
            self._orders.put(recounted(order, record.position, at), may_cut=bool(self._answers))
            answer = self._again(record, command, order, decision)
        else:
            answer = self._settle_on(record, command, target(command, found), found, at)
        order_id = answer.order_id or ""
        decision = next(d for d in self._orders.now[order_id].ledger.decisions if d.position == record.position)
        self._parking.settle(record.position, order_id, mark_of(record, order_id, decision))
        self._taken.append(answer)

    def _give_up(self, record: Record, command: Command, reason: str) -> None:
        refusal = Refusal.of(not_found(command))
        mark = Mark(record, None, (), refusal.problems, len(refusal.problems))
        self._parking.settle(record.position, None, mark)
        self._taken.append(_rejection(record, command, refusal)._replace(reason=reason))

    def _tell(self, mark: Mark) -> None:
        """The outputs of an update that was decided in an earlier life."""
        if mark.order_id in self._orders.now:
            self._announcements.say(mark.order_id, mark.sequences, again="mark")
        if mark.problems:
            answer = Answer(mark.record, None, mark.order_id, "rejected", None, mark.problems, mark.problem_count)
            self._taken.append(answer._replace(repeated=True))

    def _reading(self, position: Position) -> Position:
        """Where this lane reads the topic of *position* now."""
        return position._replace(offset=self._about.progress.published.get(position[:2], position.offset))

    def decided(self) -> Decided:
        """The batch so far."""
        return Decided(
            answers=tuple(self._answers),
            writes=tuple(self._write(id_) for id_ in self._orders.touched),
            events=tuple(self._announcements.events(self._orders.now)),
            taken=tuple(self._taken),
            waits=self._parking.changes.get(None, {}),
            absent=tuple(self._absent),
        )

    def _guard(self, command: Command, found: Sequence[Order]) -> None:
        for order in found:
            if command.position.offset <= order.ledger.dropped.get(command.position[:2], -1):
                raise BelowFloorError(command.position, order.id)
        if found and self._about.blind and command.operation is Operation.CREATE:
            raise NotLookedUpError

    def _settle_on(
        self,
        record: Record,
        command: Command,
        order: Order | None,
        found: Sequence[Order],
        at: Position | None = None,
    ) -> Answer:
        if self._answers and any(other.id in self._orders.touched for other in found if other is not order):
            raise CutError
        if order is None:
            return self._without_order(record, command)
        answer = self._enter(record, command, order, self._outcome(command, order), at)
        self._orders.remember(command, order)
        return answer

    def _without_order(self, record: Record, command: Command) -> Answer:
        if command.position in self._about.unstorable:
            return _rejection(record, command, Refusal.unstorable())
        if command.operation is Operation.CREATE:
            new = created(command, DIALECTS[command.dialect], self._rules(command), self._identities(command, None))
            return self._enter(record, command, new, Applied(new, event=True), None)
        if may_wait(command):
            return self._park(record, command)
        self._absent += (key for key in command.keys if not self._orders.is_held(key))
        return _rejection(record, command, Refusal.of(not_found(command)))

    def _park(self, record: Record, command: Command) -> Answer:
        full = self._parking.is_full_for(command)
        self._parking.park(Parked(record, command, self._about.now))
        if full:
            self._give_up(record, command, "too many wait for its order already")
        return Answer(record, command, None, "parked")

    def _outcome(self, command: Command, order: Order) -> Outcome:
        if command.position in self._about.unstorable:
            return Refusal.unstorable()
        if command.operation is Operation.CREATE:
            return meet(order, command)
        return update(
            order,
            command,
            DIALECTS[command.dialect],
            self._rules(command),
            self._identities(command, order),
            lambda key: self._orders.is_held_by_another(key, order),
        )

    def _rules(self, command: Command) -> Rules:
        return self._about.rules.get(command.dialect, AS_THE_CONTRACTS_SAY)

    def _identities(self, command: Command, order: Order | None) -> Identities:
        return Identities(
            document=order.id if order else document_id(command.at, command.position),
            position=command.position,
            number=self._about.numbers.get(command.position),
            attempt=self._about.attempts.get(command.position, 0),
        )

    def _enter(self, record: Record, command: Command, order: Order, outcome: Outcome, at: Position | None) -> Answer:
        """Keep the decision in the order that takes it."""
        after, decision = entered(command, order, outcome, at)
        if command.operation is not Operation.CREATE:
            self._folded += len(orjson.dumps(after.body))
        self._orders.put(after, may_cut=bool(self._answers))
        trace = command.traceparent if isinstance(outcome, Applied) else None  # a trace is not repeated
        again: Repeat | None = "equal-create" if isinstance(outcome, Unchanged) else None
        self._announcements.say(after.id, decision.sequences, trace=trace, again=again)
        return _decided(record, command, after.id, decision)

    def _write(self, id_: str) -> Write:
        before = self._orders.stored.get(id_)
        after = tidied(before, self._orders.now[id_], self._about.progress)
        return Write(before, after, self._parking.changes.get(id_, {}))

    def _again(self, record: Record, command: Command, order: Order, decision: Decision) -> Answer:
        """The record was decided in an earlier life: the same outputs again, unchanged; or just now, and is told."""
        answer = _decided(record, command, order.id, decision)
        if record.position == self._about.progress.told:
            return answer
        self._announcements.say(order.id, decision.sequences, again="redelivery")
        return answer._replace(repeated=True)


def _to_come(items: Iterable[Item], about: Circumstances) -> set[Position]:
    """The waiting updates that this lane reads again, now or later: each is decided in its turn then."""
    later = (p for p in about.waiting if p.offset >= about.progress.published.get(p[:2], p.offset + 1))
    return {*(item.record.position for item in items), *later}


def _rejection(record: Record, command: Command | None, refusal: Refusal) -> Answer:
    problems = refusal.problems
    return Answer(record, command, None, "rejected", None, problems, len(problems))


def _decided(record: Record, command: Command, order_id: str, decision: Decision) -> Answer:
    return Answer(
        record,
        command,
        order_id,
        decision.outcome,
        decision.reason,
        decision.problems,
        decision.problem_count,
    )
