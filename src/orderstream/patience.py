"""How long updates wait for their create: their time, but not while it may be in the backlog (design 3)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from orderstream.checkpoint import topic_and_life
from orderstream.commands import Kind, Record
from orderstream.ledger import Partition
from orderstream.parking import Parked
from orderstream.settlement import Surroundings
from orderstream.waiting import WaitingUpdates

TOGETHER: Final = 500  # updates whose wait ends in one batch


class Patience:
    """Of one lane, with its updates that wait; *finished* is as the lane moves on."""

    def __init__(self, around: Surroundings, parked: WaitingUpdates, finished: Mapping[Partition, int]) -> None:
        self.creates_first = False  # as many updates wait as may, and creates are still to be read
        self._around, self._parked, self._finished = around, parked, finished
        self._read_until: dict[Partition, datetime] = {}  # time of the last record that was seen through

    def read(self, record: Record) -> None:
        """This record is seen through."""
        self._read_until[record.position[:2]] = record.at

    async def ended(self, unhandled: Collection[Record]) -> list[Parked]:
        """Updates that have waited long enough: for their time or, the oldest, for too many others.

        *unhandled* are the records that the lane has in hand. Raises `UnavailableError`.
        """
        excess = self._parked.excess()
        self.creates_first = bool(excess) and not await self._are_creates_read(unhandled)
        overdue = [one for one in self._parked.overdue(self._around.now()) if await self._is_due(one, unhandled)]
        ended = {one.record.position: one for one in (*overdue, *(() if self.creates_first else excess))}
        return list(ended.values())[:TOGETHER]

    async def _is_due(self, parked: Parked, unhandled: Collection[Record]) -> bool:
        """What it waits for may be in the backlog: a create, or an update that brings an order its address."""
        unread = [p for p in self._finished if not self._parked.is_read_past(parked, self._read_until.get(p))]
        if unread and unhandled:
            return False
        return all([await self._around.group.is_at_end(partition) for partition in unread])

    async def _are_creates_read(self, unhandled: Collection[Record]) -> bool:
        if any(record.kind is Kind.CREATE for record in unhandled):
            return False
        creates = [p for p in self._finished if topic_and_life(p[0])[0] == self._around.create_topic]
        return all([await self._around.group.is_at_end(partition) for partition in creates])
