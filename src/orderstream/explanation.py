"""What happened to one order: all that is known of its messages, in the order of decisions (pure; interface 5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from orderstream.commands import Command
from orderstream.decode import Contracts, decode
from orderstream.mentions import Sent, Sought, found_by
from orderstream.order import Change, Decision, Order, Position
from orderstream.parking import Mark
from orderstream.ports import WaitingRecord
from orderstream.problems import Problem
from orderstream.reading import Readable, ids
from orderstream.rejections import Rejection
from orderstream.status_event import rfc_3339

Source: TypeAlias = Literal["ledger", "history", "waiting", "rejected-topic"]


class Told(NamedTuple):
    """What became of one message, and where that is known from."""

    position: Position
    at: datetime  # record time; from the rejected topic, which does not keep it, when it was refused
    decision: Literal["applied", "unchanged", "rejected", "parked"]
    source: Source
    reason: str | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    revision: int | None = None  # of the order after it
    sequences: tuple[int, ...] = ()  # its events
    replay_of: str | None = None
    waited_until: Position | None = None  # where its lane stood when it was decided
    parked_since: datetime | None = None
    waits_for: tuple[str, ...] = ()  # lookup keys
    output_pending: bool = False  # its event or rejection may not be out
    found_by: tuple[str, ...] = ()  # paths at which a message of the rejected topic names the order


class Refused(NamedTuple):
    """A message of the rejected topic, and the paths at which it names the order."""

    rejection: Rejection
    found_by: tuple[str, ...]


class Forgotten(NamedTuple):
    """What the ledger does not keep any more: how far, and how many changes without an event."""

    up_to: tuple[Position, ...]
    revisions: int


class Explanation(NamedTuple):
    """The order as it stands, None if there is none, and its messages."""

    order: Order | None
    messages: tuple[Told, ...]

    @property
    def forgotten(self) -> Forgotten | None:
        """None: every message that reached the order is told."""
        if self.order is None or not self.order.ledger.dropped:
            return None
        applied = sum(each.decision == "applied" for each in self.messages)
        up_to = tuple(Position(*partition, offset) for partition, offset in self.order.ledger.dropped.items())
        return Forgotten(up_to, self.order.revision - applied)


def explained(
    order: Order | None, waiting: Iterable[WaitingRecord], refused: Iterable[Refused], contracts: Contracts
) -> Explanation:
    """Put together what the order, the collection `waiting` and the rejected topic tell; each message once."""
    waiting = list(waiting)
    marked = {one.record.position for one in waiting if one.mark}
    told = {each.position: each._replace(output_pending=each.position in marked) for each in _of_order(order)}
    for one in sorted(waiting, key=lambda one: (one.mark is None, one.since, one.record.position)):
        told.setdefault(one.record.position, _of_waiting(one, contracts))
    messages = list(told.values())
    for message in refused:
        position = message.rejection.id
        if position not in told:  # one that reached the order, or a repeat
            told[position] = _of_refused(message)
            _put(messages, told[position])
    return Explanation(order, tuple(messages))


def meant(waiting: Iterable[WaitingRecord], sought: Sought) -> list[WaitingRecord]:
    """Without the marks of updates that no order took and that were not meant for this one."""
    return [one for one in waiting if one.mark is None or one.mark.order_id or found_by(_sent(one.mark), sought)]


def _sent(mark: Mark) -> Sent:
    return Sent(mark.record.key, mark.record.value, mark.record.headers, mark.problems)


def _of_order(order: Order | None) -> list[Told]:
    """Decisions as the ledger keeps them, and before each the events of earlier ones that it does not keep."""
    if order is None:
        return []
    kept = [_of_decision(decision) for decision in order.ledger.decisions]
    known = {each.position for each in kept}
    former = [_of_change(change) for change in order.history if change.cause not in known]
    return sorted((*former, *kept), key=lambda each: each.revision or 0)  # both are sorted so already


def _of_decision(decision: Decision) -> Told:
    return Told(
        decision.position,
        decision.at,
        decision.outcome,
        "ledger",
        reason=decision.reason,
        problems=decision.problems,
        problem_count=decision.problem_count,
        revision=decision.revision,
        sequences=decision.sequences,
        replay_of=decision.replay_of,
        waited_until=decision.counts_from,
    )


def _of_change(change: Change) -> Told:
    return Told(change.cause, change.at, "applied", "history", revision=change.revision, sequences=(change.sequence,))


def _of_waiting(one: WaitingRecord, contracts: Contracts) -> Told:
    if one.mark:
        return _of_mark(one.mark)
    judged = decode(one.record, contracts)
    return Told(
        one.record.position,
        one.record.at,
        "parked",
        "waiting",
        replay_of=judged.replay_of if isinstance(judged, Command) else None,
        parked_since=one.since,
        waits_for=judged.keys if isinstance(judged, Command) else (),
    )


def _of_mark(mark: Mark) -> Told:
    return Told(
        mark.record.position,
        mark.record.at,
        "rejected" if mark.problems else "applied",
        "waiting",
        problems=mark.problems,
        problem_count=mark.problem_count,
        sequences=mark.sequences,
        output_pending=True,
    )


def _of_refused(message: Refused) -> Told:
    rejection = message.rejection
    return Told(
        rejection.id,
        rejection.at,
        "rejected",
        "rejected-topic",
        problems=rejection.problems,
        problem_count=rejection.problem_count,
        replay_of=None if rejection.replay_of is None else str(rejection.replay_of),
        found_by=message.found_by,
    )


def _put(messages: list[Told], refused: Told) -> None:
    """Before the first that was decided later: a later one of its partition, or else one of a later time."""
    later = (place for place, each in enumerate(messages) if _is_later(each, refused))
    messages.insert(next(later, len(messages)), refused)


def _is_later(other: Told, refused: Told) -> bool:
    if other.decision == "parked":
        return True
    if other.position[:2] == refused.position[:2]:
        return other.position.offset > refused.position.offset
    return other.at > refused.at


def readable(explanation: Explanation) -> Readable:
    """The same as JSON."""
    order, forgotten = explanation.order, explanation.forgotten
    return {
        "order": None if order is None else _state(order),
        "messages": [_readable(told, order) for told in explanation.messages],
        "not_kept": forgotten
        and {"up_to": [str(position) for position in forgotten.up_to], "revisions": forgotten.revisions},
    }


def _state(order: Order) -> Readable:
    times = {name: getattr(order, name) for name in ("created_at", "updated_at", "deleted_at")}
    return {
        **ids(order),
        "status": order.status._asdict(),
        "revision": order.revision,
        "sequence": order.sequence,
        **{name: moment and rfc_3339(moment) for name, moment in times.items()},
    }


def _readable(told: Told, order: Order | None) -> Readable:
    return {
        "position": str(told.position),
        "time": rfc_3339(told.at),
        "decision": told.decision,
        "reason": told.reason,
        "problems": [problem._asdict() for problem in told.problems],
        "problem_count": told.problem_count,
        "revision": told.revision,
        "events": event_ids(told, order),
        "output_pending": told.output_pending,
        "replay_of": told.replay_of,
        "waited_until": told.waited_until and str(told.waited_until),
        "parked_since": told.parked_since and rfc_3339(told.parked_since),
        "waits_for": list(told.waits_for),
        "source": told.source,
        "found_by": list(told.found_by),
    }


def event_ids(told: Told, order: Order | None) -> list[str]:
    """Of the events that went out because of it, repeats included."""
    return [] if order is None else [f"{order.id}:{sequence}" for sequence in told.sequences]
