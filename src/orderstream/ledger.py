"""The decisions that an order keeps: entered once, read again on redelivery, dropped when they are over (design 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

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

    def is_out(self, position: Position) -> bool:
        """Whether the outputs of this record are acknowledged."""
        return position.offset < self.published.get(position[:2], 0)

    def is_over(self, position: Position) -> bool:
        """Whether this record can never be delivered again."""
        return position.offset < self.committed.get(position[:2], 0)


def entered(command: Command, order: Order, outcome: Outcome) -> tuple[Order, Decision]:
    """The order after the outcome, with the decision in its ledger."""
    after, decision = _decision(command, order, outcome)
    ledger = replace(after.ledger, decisions=(*after.ledger.decisions, decision))
    return replace(after, ledger=ledger), decision


def tidied(before: Order | None, after: Order, progress: Progress) -> Order:
    """*after* as it is written: a version higher, without the stored decisions that are over."""
    decisions, dropped = after.ledger.decisions, dict(after.ledger.dropped)
    stored = 0 if before is None else len(before.ledger.decisions)
    droppable = decisions[: max(0, min(stored, len(decisions) - KEPT_DECISIONS))]
    over = {decision.position for decision in droppable if progress.is_over(decision.position)}
    for position in over:
        dropped[position[:2]] = max(position.offset, dropped.get(position[:2], -1))
    kept = tuple(decision for decision in decisions if decision.position not in over) if over else decisions
    version = after.ledger.version + 1
    return replace(after, ledger=replace(after.ledger, decisions=kept, dropped=dropped, version=version))


def _decision(command: Command, order: Order, outcome: Outcome) -> tuple[Order, Decision]:
    """The order after the outcome, and what was decided."""
    after = order
    decision = Decision(
        position=command.position,
        digest=command.digest,
        outcome="rejected",
        at=command.at,
        keys=line_keys(command),
        replay_of=command.replay_of,
    )
    match outcome:
        case Applied():
            after = remembered(outcome.order, command)
            sequences = (after.sequence,) if outcome.event else ()
            decision = replace(decision, outcome="applied", sequences=sequences)
        case Unchanged(reason=reason, again=again):
            after = remembered(order, command)
            decision = replace(decision, outcome="unchanged", reason=reason, sequences=(1,) if again else ())
        case Refusal(problems=problems):
            decision = replace(decision, problems=_bounded(problems), problem_count=len(problems))
    return after, replace(decision, revision=after.revision)


def _bounded(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """As many problems as one decision may keep."""
    size, kept = 0, 0
    for problem in problems:
        size += len(orjson.dumps(tuple(problem)))
        kept += size <= PROBLEM_BYTES or kept == 0
    return tuple(problems[:kept])
