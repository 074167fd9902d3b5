"""The decisions that an order keeps: entered once, read again on redelivery, dropped when they are over (design 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import orjson

from orderstream.commands import Command
from orderstream.fold import line_keys, remembered
from orderstream.order import Decision, Order, Position
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from orderstream.problems import Problem

KEPT_DECISIONS: Final = 50  # the last ones of an order, however old
PROBLEM_BYTES: Final = 2048  # of one decision

Partition: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the partitions are; *published*: below it every output is out, *committed*: it never comes again."""

    published: Mapping[Partition, int] = field(default_factory=dict)
    committed: Mapping[Partition, int] = field(default_factory=dict)
    told: Position | None = None  # a record in hand whose outputs, as far as it has come, are acknowledged too

    def is_out(self, position: Position) -> bool:
        """Whether the outputs of this record are acknowledged."""
        return position == self.told or position.offset < self.published.get(position[:2], 0)

    def is_over(self, position: Position) -> bool:
        """Whether this record can never be delivered again."""
        return position.offset < self.committed.get(position[:2], 0)


_NAMES: Final[Mapping[type[Outcome], Literal["applied", "unchanged", "rejected"]]] = {
    Applied: "applied",
    Unchanged: "unchanged",
    Refusal: "rejected",
}


def entered(
    command: Command, order: Order, outcome: Outcome, counts_from: Position | None = None
) -> tuple[Order, Decision]:
    """The order after the outcome, with the decision in its ledger."""
    after, decision = _decision(command, order, outcome)
    decision = decision._replace(counts_from=counts_from) if counts_from else decision
    ledger = after.ledger._replace(decisions=(*after.ledger.decisions, decision))
    return after._replace(ledger=ledger), decision


def recounted(order: Order, position: Position, counts_from: Position) -> Order:
    """The order with a decision that was found already taken, and now counts from another record."""
    decisions = tuple(
        decision._replace(counts_from=counts_from) if decision.position == position else decision
        for decision in order.ledger.decisions
    )
    return order._replace(ledger=order.ledger._replace(decisions=decisions))


def tidied(before: Order | None, after: Order, progress: Progress) -> Order:
    """*after* as it is written: a version higher, without the stored decisions that are over."""
    if before is None:
        return after
    decisions, dropped = after.ledger.decisions, dict(after.ledger.dropped)
    droppable = decisions[: max(0, min(len(before.ledger.decisions), len(decisions) - KEPT_DECISIONS))]
    over = {
        decision.position
        for decision in droppable
        if progress.is_over(decision.position) and progress.is_over(decision.counts_from or decision.position)
    }
    for position in over:
        dropped[position[:2]] = max(position.offset, dropped.get(position[:2], -1))
    kept = tuple(decision for decision in decisions if decision.position not in over) if over else decisions
    version = after.ledger.version + 1
    return after._replace(ledger=after.ledger._replace(decisions=kept, dropped=dropped, version=version))


def _decision(command: Command, order: Order, outcome: Outcome) -> tuple[Order, Decision]:
    """The order after the outcome, and what was decided."""
    after = order
    reason: str | None = None
    problems: tuple[Problem, ...] = ()
    sequences: tuple[int, ...] = ()
    match outcome:
        case Applied():
            after = remembered(outcome.order, command)
            sequences = (after.sequence,) if outcome.event else ()
        case Unchanged(reason=reason, again=again):
            after = remembered(order, command)
            sequences = (1,) if again else ()
        case Refusal(problems=problems):
            pass
    return after, Decision(
        position=command.position,
        digest=command.digest,
        outcome=_NAMES[type(outcome)],
        at=command.at,
        reason=reason,
        problems=_bounded(problems),
        problem_count=len(problems),
        sequences=sequences,
        revision=after.revision,
        keys=line_keys(order, command),
        replay_of=command.replay_of,
    )


def _bounded(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """As many problems as one decision may keep."""
    size, kept = 0, 0
    for problem in problems:
        size += len(orjson.dumps(tuple(problem)))
        kept += size <= PROBLEM_BYTES or kept == 0
    return tuple(problems[:kept])
