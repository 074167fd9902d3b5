"""The waiting updates of one lane, for as long as it has its partition, behind a fence (design 3)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, islice
from typing import Final

from orderstream.commands import Command
from orderstream.decode import Contracts, decode
from orderstream.order import Position
from orderstream.parking import Changes, Mark, Parked, Waiting
from orderstream.ports import Fence, Orders, WaitingRecord

ENDED: Final = 2**63  # above every offset
MOST_WAITING: Final = 4_000  # updates of a lane: what waits is in memory, 3 kB each and its value
MOST_WAITING_BYTES: Final = 16 * 2**20  # of their values


class WaitingUpdates:
    """What this lane knows of its part of the collection `waiting`; it is the only one that writes it."""

    def __init__(self, lane: int, orders: Orders, contracts: Contracts, park_seconds: float) -> None:
        self.fence = Fence(lane, 0)
        self.entries: dict[Position, Waiting] = {}  # in the order in which they began to wait
        self._orders, self._contracts, self._patience = orders, contracts, timedelta(seconds=park_seconds)
        self._told: set[Position] = set()

    @property
    def parked(self) -> int:
        """How many updates wait."""
        return len(self._all_parked())

    async def raise_fence(self) -> None:
        """From here on no earlier owner can write; ask the group afterwards, and load last."""
        self.fence = Fence(self.fence.lane, await self._orders.raise_epoch(self.fence.lane))

    async def load(self) -> None:
        """What waits, and the marks whose outputs may not be out."""
        stored = await self._orders.waiting(self.fence.lane)
        self.entries = {one.record.position: self._entry(one) for one in stored}
        self._told.clear()

    async def is_fenced(self) -> bool:
        """Whether another owner has raised the epoch meanwhile."""
        return await self._orders.epoch_of(self.fence.lane) != self.fence.epoch

    def learn(self, changes: Changes) -> None:
        """What was written."""
        for position, waiting in changes.items():
            if waiting is None:
                self.entries.pop(position, None)
            else:
                self.entries[position] = waiting

    @property
    def untold(self) -> Sequence[Mark]:
        """Marks whose outputs this lane has not published."""
        return [one for at, one in self.entries.items() if isinstance(one, Mark) and at not in self._told]

    def tell(self, marks: Iterable[Mark]) -> None:
        """Their outputs are acknowledged."""
        self._told.update(mark.record.position for mark in marks)

    async def forget(self, committed: Mapping[tuple[str, int], int]) -> None:
        """Remove the marks that are told and whose record never comes again, as none of an ended life does."""
        over = [p for p in self._told if p in self.entries and p.offset < committed.get(p[:2], ENDED)]
        if over:
            changes: Changes = dict.fromkeys(over)
            await self._orders.write_fenced(self.fence, (), changes)
            self.learn(changes)
            self._told.difference_update(over)

    def overdue(self, now: datetime) -> list[Parked]:
        """Updates that have waited as long as they may."""
        return [one for one in self._all_parked() if now - one.since >= self._patience]

    def excess(self) -> list[Parked]:
        """The oldest updates, where more wait than a lane can keep."""
        parked = self._all_parked()
        sizes = accumulate(len(one.record.value or b"") for one in reversed(parked))
        kept = sum(size <= MOST_WAITING_BYTES for size in islice(sizes, MOST_WAITING))
        return parked[: len(parked) - kept]

    def is_read_past(self, parked: Parked, until: datetime | None) -> bool:
        """Whether a partition that is read to records of *until* holds nothing more that would be in time for it."""
        return until is not None and until >= parked.record.at + self._patience

    def _all_parked(self) -> list[Parked]:
        return [one for one in self.entries.values() if isinstance(one, Parked)]

    def _entry(self, stored: WaitingRecord) -> Waiting:
        if stored.mark:
            return stored.mark
        judged = decode(stored.record, self._contracts)
        if isinstance(judged, Command):
            return Parked(stored.record, judged, stored.since)
        return Mark(stored.record, None, (), judged.problems, len(judged.problems))  # the rules have changed
