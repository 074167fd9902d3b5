"""One history by its seed, from its world to the verdict."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

from orderstream import batch, ledger, settlement, waiting
from orderstream.commands import Command, Record
from orderstream.decode import Contracts, decode
from orderstream.order import Position
from orderstream.outcomes import Refusal
from tests.faults import documents
from tests.histories.calm import undisturbed
from tests.histories.clock import at_once
from tests.histories.cluster import Cluster
from tests.histories.scene import Remains
from tests.histories.verdict import differences
from tests.histories.world import World, made


class Outcome(NamedTuple):
    """What came of a history."""

    seed: int
    differences: list[str]
    counts: Counter[str]  # what there was, and what happened
    story: str  # empty where there is no difference, unless it was asked for


def played(seed: int, *, tell: bool = False) -> Outcome:
    """The history of this seed, the same each time; *tell*: with its story in any case."""
    world = made(seed)
    with _chance_by(seed), _decoding_once():
        calm = at_once(undisturbed(world))
        with _keeping(world.kept), _in_small(world):
            cluster, left = at_once(_history(world))
            found = differences(world, left, calm, may_repeat=cluster.may_repeat)
    return Outcome(seed, found, _counted(cluster, left), str(cluster.story) if found or tell else "")


async def _history(world: World) -> tuple[Cluster, Remains]:
    cluster = Cluster(world)
    return cluster, await cluster.play()


def _counted(cluster: Cluster, left: Remains) -> Counter[str]:
    events = Counter((event.order_id, event.sequence) for event in left.events)
    rejections = Counter(answer.record.position for answer in left.rejected)
    counts = Counter({str(what): number for what, number in cluster.story.counts.items()})
    counts["messages"], counts["events"], counts["rejections"] = (
        sum(left.committed.values()),
        len(events),
        len(rejections),
    )
    counts["repeats"] = sum(number - 1 for number in (*events.values(), *rejections.values()))
    return counts


@contextmanager
def _chance_by(seed: int) -> Iterator[None]:
    """The pauses between tries are by chance, too."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def _decoding_once() -> Iterator[None]:
    """What a record says does not hang on what happens: to look at it once is enough, and saves time."""
    known: dict[Position, Command | Refusal] = {}

    def once(record: Record, contracts: Contracts) -> Command | Refusal:
        if record.position not in known:
            known[record.position] = decode(record, contracts)
        return known[record.position]

    with _set(settlement, "decode", once), _set(waiting, "decode", once):
        yield


@contextmanager
def _in_small(world: World) -> Iterator[None]:
    """Bounds of memory and of time that these orders can reach."""
    with _set(batch, "MOST_FOLDED", world.folded), _set(settlement, "MOST_LOADED", world.loaded):
        yield


@contextmanager
def _keeping(decisions: int) -> Iterator[None]:
    """An order keeps at least so many decisions: fewer than in earnest, or nothing would be dropped here."""
    with _set(ledger, "KEPT_DECISIONS", decisions), _set(documents, "KEPT_DECISIONS", decisions):
        yield


@contextmanager
def _set(module: ModuleType, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
