"""One attempt at one batch: each record decided once, in memory, on the orders as they were loaded (pure; design 3)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import orjson

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
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from orderstream.parking import Mark, Parked, Parking, mark_of, may_wait
from orderstream.status_event import Event, Repeat, event_of

MOST_FOLDED: Final = 2**20  # bytes of orders that updates go over: up to a second in which nobody else has a turn


class _CutError(Exception):
    """A decision hangs on another order that this batch changes: the batch ends between the two."""


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
    except _CutError:
        return decide(items[: batch.count], stored, about)
    except _EnoughError:
        return batch.decided()._replace(unfinished=items[batch.count].record.position)
    return batch.decided()


class _Said(NamedTuple):
    """An event to be published, as `event_of` takes it."""

    sequence: int
    trace: str | None = None
    again: Repeat | None = None


class _Batch:
    def __init__(self, stored: Iterable[Order], about: Circumstances, items: Sequence[Item]) -> None:
        self._about = about
        self._stored = {order.id: order for order in stored}
        self._orders = dict(self._stored)
        self._holders = {key: order.id for order in self._stored.values() for key in order.lookup_keys}
        self._touched: dict[str, None] = {}
        self._answers: list[Answer] = []
        self._said: dict[str, list[_Said]] = defaultdict(list)  # order -> events
        self._absent: list[str] = []
        self._taken: list[Answer] = []
        self._folded = 0  # bytes
        self._asked: dict[str, set[str]] = defaultdict(set)  # key that an order lacks -> orders decided by its lack
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
            found = self._found(command)
            if self._known(command, found) or self._target(command, found):
                self._take(record, command, self._reading(record.position))
            else:
                self._absent += command.keys
                self._give_up(record, command, EXPIRED)

    def _answer(self, record: Record, command: Command) -> Answer:
        found = self._found(command)
        known = self._known(command, found)
        if known:
            answer = self._again(record, command, *known)
            self._take_along(known[0].id, record.position)
            return answer
        if self._parking.knows(record.position):
            return Answer(record, command, None, "parked", repeated=True)
        self._guard(command, found)
        target = self._target(command, found)
        if target is not None and command.operation is not Operation.CREATE:
            self._take_along(target.id, record.position)
            found = self._found(command)
            target = self._target(command, found)
        answer = self._settle_on(record, command, target, found)
        if answer.order_id is not None:
            self._take_along(answer.order_id, record.position)
        return answer

    def _take_turn(self, record: Record, command: Command) -> None:
        """An update that waited since an earlier life is in the batch again."""
        found = self._found(command)
        known = self._known(command, found)
        target = known[0] if known else self._target(command, found)
        if target is not None:
            self._take_along(target.id, record.position)
            if self._parking.get(record.position):
                self._take(record, command, record.position)
            self._take_along(target.id, record.position)
        self._answers.append(Answer(record, command, target and target.id, "parked", repeated=True))

    def _take_along(self, order_id: str, at: Position) -> None:
        """Decide the updates that wait for an address the order has, in the order of their offsets."""
        while parked := self._parking.next_for(self._orders[order_id]):
            if self.is_full:
                raise _EnoughError
            self._take(parked.record, parked.command, at)

    def _take(self, record: Record, command: Command, at: Position) -> None:
        """Decide an update that waited; its document becomes a mark in the write of its order."""
        found = self._found(command)
        known = self._known(command, found)
        if known:  # a stale owner may have decided it already
            order, decision = known
            self._put(recounted(order, record.position, at))
            self._touched[order.id] = None
            answer = self._again(record, command, order, decision)
        else:
            answer = self._settle_on(record, command, self._target(command, found), found, at)
        order_id = answer.order_id or ""
        decision = next(d for d in self._orders[order_id].ledger.decisions if d.position == record.position)
        self._parking.settle(record.position, order_id, mark_of(record, order_id, decision))
        self._taken.append(answer)

    def _give_up(self, record: Record, command: Command, reason: str) -> None:
        refusal = Refusal.of(not_found(command))
        mark = Mark(record, None, (), refusal.problems, len(refusal.problems))
        self._parking.settle(record.position, None, mark)
        self._taken.append(_rejection(record, command, refusal)._replace(reason=reason))

    def _tell(self, mark: Mark) -> None:
        """The outputs of an update that was decided in an earlier life."""
        if mark.order_id in self._orders:
            self._said[mark.order_id] += (_Said(sequence, again="mark") for sequence in mark.sequences)
        if mark.problems:
            answer = Answer(mark.record, None, mark.order_id, "rejected", None, mark.problems, mark.problem_count)
            self._taken.append(answer._replace(repeated=True))

    def _reading(self, position: Position) -> Position:
        """Where this lane reads the topic of *position* now."""
        return position._replace(offset=self._about.progress.published.get(position[:2], position.offset))

    def decided(self) -> Decided:
        """The batch so far."""
        events = tuple(self._events())
        return Decided(
            answers=tuple(self._answers),
            writes=tuple(self._write(id_) for id_ in self._touched),
            events=events,
            taken=tuple(self._taken),
            waits=self._parking.changes.get(None, {}),
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
                        raise AnotherRecordError(command.position, order.id)
                    return order, decision
        return None

    def _guard(self, command: Command, found: Sequence[Order]) -> None:
        for order in found:
            if command.position.offset <= order.ledger.dropped.get(command.position[:2], -1):
                raise BelowFloorError(command.position, order.id)
        if found and self._about.blind and command.operation is Operation.CREATE:
            raise NotLookedUpError

    def _target(self, command: Command, found: Sequence[Order]) -> Order | None:
        """The order that takes the decision; lines that an update brings do not name one."""
        if command.operation is Operation.CREATE:
            return next(iter(found), None)
        return next((order for order in found if not set(command.keys).isdisjoint(order.lookup_keys)), None)

    def _settle_on(
        self,
        record: Record,
        command: Command,
        order: Order | None,
        found: Sequence[Order],
        at: Position | None = None,
    ) -> Answer:
        if self._answers and any(other.id in self._touched for other in found if other is not order):
            raise _CutError
        if order is None:
            return self._without_order(record, command)
        answer = self._enter(record, command, order, self._outcome(command, order), at)
        for key in (*command.keys, *command.brought):
            if key not in self._orders[order.id].lookup_keys:
                self._asked[key].add(order.id)
        return answer

    def _without_order(self, record: Record, command: Command) -> Answer:
        if command.position in self._about.unstorable:
            return _rejection(record, command, Refusal.unstorable())
        if command.operation is Operation.CREATE:
            new = created(command, DIALECTS[command.dialect], self._rules(command), self._identities(command, None))
            return self._enter(record, command, new, Applied(new, event=True), None)
        if may_wait(command):
            return self._park(record, command)
        self._absent += (key for key in command.keys if key not in self._holders)
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
        ids, holder = self._identities(command, order), order.id
        return update(
            order,
            command,
            DIALECTS[command.dialect],
            self._rules(command),
            ids,
            lambda key: self._holders.get(key, holder) != holder,
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
        self._put(after)
        self._touched[after.id] = None
        trace = command.traceparent if isinstance(outcome, Applied) else None  # a trace is not repeated
        again: Repeat | None = "equal-create" if isinstance(outcome, Unchanged) else None
        self._said[after.id] += (_Said(sequence, trace, again) for sequence in decision.sequences)
        return _decided(record, command, after.id, decision)

    def _write(self, id_: str) -> Write:
        before = self._stored.get(id_)
        after = tidied(before, self._orders[id_], self._about.progress)
        return Write(before, after, self._parking.changes.get(id_, {}))

    def _put(self, order: Order) -> None:
        before = self._orders.get(order.id)
        if self._answers and self._asked and (before is None or before.lookup_keys != order.lookup_keys):
            self._beware(order, before.lookup_keys if before else ())
        self._orders[order.id] = order
        if before is not None and before.lookup_keys != order.lookup_keys:
            for key in before.lookup_keys:
                self._holders.pop(key, None)
        if before is None or before.lookup_keys != order.lookup_keys:
            self._holders.update(dict.fromkeys(order.lookup_keys, order.id))

    def _beware(self, order: Order, before: Iterable[str]) -> None:
        """A key must not change hands in the batch in which another order was decided by who has it."""
        if any(self._asked.get(key, set()) - {order.id} for key in {*before} ^ {*order.lookup_keys}):
            raise _CutError

    def _again(self, record: Record, command: Command, order: Order, decision: Decision) -> Answer:
        """The record was decided in an earlier life: the same outputs again, unchanged; or just now, and is told."""
        answer = _decided(record, command, order.id, decision)
        if record.position == self._about.progress.told:
            return answer
        self._said[order.id] += (_Said(sequence, again="redelivery") for sequence in decision.sequences)
        return answer._replace(repeated=True)

    def _events(self) -> Iterable[Event]:
        """Each order's events in their order, earlier ones that may not be out before them; one for each repeat."""
        for id_, said in self._said.items():
            if not said:
                continue
            order, wanted = self._orders[id_], {one.sequence for one in said}
            unsure = self._earlier(order, max(wanted)) - wanted
            earlier = (_Said(sequence, again="earlier-unacknowledged") for sequence in unsure)
            for one in sorted((*said, *earlier), key=itemgetter(0)):
                yield event_of(order, *one)

    def _earlier(self, order: Order, last: int) -> set[int]:
        entries = (entry for entry in order.ledger.decisions if entry.outcome == "applied")
        unsure = (entry for entry in entries if not self._about.progress.is_out(entry.counts_from or entry.position))
        return {sequence for entry in unsure for sequence in entry.sequences if sequence < last}


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
