"""Whether a worker can do its work, in words (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["ready", "standby", "not ready"]


class Readiness(NamedTuple):
    """*standby*: ready, and no partition was left for it; *reasons* are sentences, there when it is not ready."""

    state: State
    reasons: tuple[str, ...] = ()


def judged(reasons: Iterable[str], *, standby: bool) -> Readiness:
    """Ready, unless there are reasons."""
    found = tuple(reasons)
    if found:
        return Readiness("not ready", found)
    return Readiness("standby" if standby else "ready")


def together(workers: Mapping[int, Readiness]) -> Readiness:
    """Of all workers of a machine, by number: one that is not ready makes the whole so."""
    reasons = (f"worker {number}: {reason}" for number, one in workers.items() for reason in one.reasons)
    return judged(reasons, standby=all(one.state == "standby" for one in workers.values()))


def of_partitions(standing: Iterable[tuple[int, str]]) -> Iterable[str]:
    """A sentence for each reason, with all the partitions that have it."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for number, reason in sorted(standing):
        by_reason[reason].append(number)
    for reason, numbers in by_reason.items():
        listed = ", ".join(map(str, numbers))
        yield f"partition{'s' * (len(numbers) > 1)} {listed}: {reason}"
