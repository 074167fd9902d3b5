"""Where a partition goes on, and whether it still is the one that it was (design 3, G8; pure)."""

from typing import NamedTuple


class Checkpoint(NamedTuple):
    """What the worker keeps of a partition; below *offset* every record is written and answered."""

    topic_id: str
    life: int  # 1, and one more for each time that a command has adopted the topic anew
    offset: int
    committed: int | None  # the group's offset when this was kept
    former: tuple[int, ...] = ()  # how far earlier lives came

    def reached(self, life: int) -> int:
        """The offset that this life has come to, or had come to when it ended."""
        return self.offset if life >= self.life else self.former[life - 1]


class Seen(NamedTuple):
    """A partition as Kafka has it now."""

    topic_id: str
    partitions: int  # of its topic
    beginning: int
    end: int
    committed: int | None


class Judgement(NamedTuple):
    """Where to go on: at once, or if there is a *problem*, when a command has adopted the partition as it is."""

    checkpoint: Checkpoint
    seen: Seen
    problem: str | None = None
    remark: str | None = None


def name_of(topic: str, life: int) -> str:
    """The topic's name in positions: `order-create`, in its second life `order-create@2`."""
    return topic if life == 1 else f"{topic}@{life}"


def topic_and_life(name: str) -> tuple[str, int]:
    """The other way round; no topic has an `@` in its name."""
    topic, _, life = name.partition("@")
    return topic, int(life or 1)


def judge(kept: Checkpoint | None, partitions: int | None, seen: Seen) -> Judgement:
    """What to make of a partition, given what was kept of it and of the number of its topic's *partitions*."""
    judgement = _of_a_new_one(seen) if kept is None else _of_a_known_one(kept, seen)
    if partitions in (None, seen.partitions):
        return judgement
    resized = f"its topic had {partitions} partitions and has {seen.partitions}: keys lead to other partitions now"
    return judgement._replace(problem="; ".join(filter(None, (resized, judgement.problem))))


def _of_a_new_one(seen: Seen) -> Judgement:
    if seen.committed is None:
        checkpoint = Checkpoint(seen.topic_id, 1, seen.beginning, None)
        return Judgement(checkpoint, seen)
    start = min(max(seen.committed, seen.beginning), seen.end)
    problem = (
        f"the group stands at {seen.committed}, but this database has read nothing of the partition: "
        "another database, or offsets set by hand"
    )
    return Judgement(Checkpoint(seen.topic_id, 1, start, seen.committed), seen, problem)


def _of_a_known_one(kept: Checkpoint, seen: Seen) -> Judgement:
    if seen.topic_id != kept.topic_id:
        return _reborn(kept, seen, seen.beginning, "the topic was deleted and made again")
    if kept.offset > seen.end:
        return _reborn(kept, seen, seen.end, f"the partition was read up to {kept.offset} and now ends at {seen.end}")
    if kept.offset < seen.beginning:
        problem = f"records from {kept.offset} to {seen.beginning - 1} are gone, and were not read"
        return Judgement(kept._replace(offset=seen.beginning), seen, problem)
    if _is_ours(kept, seen.committed):
        return Judgement(kept, seen)
    found = "none" if seen.committed is None else seen.committed
    remark = f"the group's offset was {found}; the worker goes on at {kept.offset}, where it had stopped"
    return Judgement(kept, seen, remark=remark)


def _is_ours(kept: Checkpoint, committed: int | None) -> bool:
    """Whether the group's offset is one that the worker may have left there: it commits after it has kept."""
    if committed is None:
        return kept.committed is None
    return (kept.committed or 0) <= committed <= kept.offset


def _reborn(kept: Checkpoint, seen: Seen, start: int, problem: str) -> Judgement:
    """Positions that were used before mean other records now: another life begins."""
    reborn = Checkpoint(seen.topic_id, kept.life + 1, start, None, (*kept.former, kept.offset))
    return Judgement(reborn, seen, problem)
