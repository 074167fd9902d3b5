"""What all processes of a history have in common, and what is left of it in the end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from orderstream.answers import Answer
from orderstream.commands import Kind
from orderstream.ledger import Partition
from orderstream.status_event import Event
from tests.builders import NOW
from tests.fakes import MemoryOrders, RecordingOutputs
from tests.histories.group import Group
from tests.histories.story import Story
from tests.histories.wire import Trouble
from tests.histories.world import PARK_SECONDS, Sending, World


class Remains(NamedTuple):
    """What a run leaves behind."""

    documents: Mapping[str, bytes]
    waiting: int
    events: Sequence[Event]
    rejected: Sequence[Answer]
    committed: Mapping[Partition, int]
    kept: Mapping[Partition, int]
    faults: Sequence[str] = ()  # what the lanes complained of


@dataclass(slots=True)
class Scene:
    """Servers, topics and chance."""

    world: World
    chance: Random
    story: Story
    group: Group
    trouble: Trouble
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    outputs: RecordingOutputs = field(default_factory=RecordingOutputs)
    faults: list[str] = field(default_factory=list)
    leapt: timedelta = timedelta()
    _sent: dict[Partition, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time of the workers' clocks."""
        return NOW + self.leapt + timedelta(seconds=asyncio.get_running_loop().time())

    def leap(self) -> None:
        """So much time passes that nothing has to wait any longer."""
        self.story.tell("time", "leaps")
        self.leapt += timedelta(seconds=2 * PARK_SECONDS)

    def end_of(self, partition: Partition) -> int:
        """How many records of this partition have been sent by now."""
        log, end = self.world.logs[partition], self._sent.get(partition, 0)
        while end < len(log) and self._is_sent(log[end], partition[1]):
            end += 1
        self._sent[partition] = end
        return end

    def _is_sent(self, sending: Sending, number: int) -> bool:
        if self.group.committed[Kind.CREATE.value, number] < sending.creates:
            return False
        refused = {answer.record.position for answer in self.outputs.rejected} if sending.refused else set()
        seen = {event.order_id for event in self.outputs.events} if sending.order else {None}
        return sending.order in seen and refused.issuperset(sending.refused)

    @property
    def is_settled(self) -> bool:
        """Whether everything that is sent by now is committed."""
        return all(self._is_done_to(partition, self.end_of(partition)) for partition in self.world.logs)

    @property
    def is_read(self) -> bool:
        """Whether everything is committed."""
        return all(self._is_done_to(partition, len(log)) for partition, log in self.world.logs.items())

    def _is_done_to(self, partition: Partition, end: int) -> bool:
        """In the store as well: a lane that begins again commits to the group what it has not kept yet."""
        return self.group.committed[partition] == self.group.kept[partition] == end

    def remains(self) -> Remains:
        """What is left."""
        documents, waiting = dict(self.orders._orders), len(self.orders._waiting)
        return Remains(
            documents=documents,
            waiting=waiting,
            events=self.outputs.events,
            rejected=self.outputs.rejected,
            committed=self.group.committed,
            kept=self.group.kept,
            faults=self.faults,
        )
