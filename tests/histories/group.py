"""A consumer group in memory: members, generations, who owns which partition number, committed offsets, checkpoints."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Final, NamedTuple

from orderstream.ledger import Partition
from tests.histories.story import Story

SESSION_SECONDS: Final = 10.0  # of silence until a member is out, and how long a rebalance waits for one
LOOK_SECONDS: Final = 1.0


class Membership(NamedTuple):
    """A member, for one generation."""

    member: str
    generation: int


class Assignment(NamedTuple):
    """What a member gets of a generation."""

    membership: Membership
    numbers: Sequence[int]


class Group:
    """The coordinator's part; it answers at once, getting there is the wire's."""

    def __init__(self, partitions: Collection[Partition], chance: Random, story: Story) -> None:
        self.committed: dict[Partition, int] = dict.fromkeys(partitions, 0)
        self.kept: dict[Partition, int] = dict.fromkeys(partitions, 0)  # in the store: where an owner begins
        self._numbers = sorted({number for _, number in partitions})
        self._owners: dict[int, Membership] = {}
        self._heard: dict[str, float] = {}  # members -> when they were last heard of
        self._joining: dict[str, asyncio.Future[Assignment]] = {}
        self._generation = 0
        self._is_unsettled = False  # somebody came or went
        self._chance, self._story = chance, story

    async def run(self) -> None:
        """Give the partitions to those who are there, whenever that changes."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._expel()
            if self._is_unsettled:
                await self._gather()
                self._assign()

    def is_settled_for(self, membership: Membership) -> bool:
        """A heartbeat; False: come and join again."""
        is_member = membership.generation == self._generation and membership.member in self._heard
        if is_member:
            self._heard[membership.member] = asyncio.get_running_loop().time()
        return is_member and not self._is_unsettled

    def join(self, member: str) -> "asyncio.Future[Assignment]":
        """What the member gets when all have joined, or have been waited for."""
        self._is_unsettled = True
        self._heard[member] = asyncio.get_running_loop().time()
        self._joining[member] = asyncio.get_running_loop().create_future()
        return self._joining[member]

    def leave(self, membership: Membership) -> None:
        """The member goes, and says so."""
        self._heard.pop(membership.member, None)
        self._is_unsettled = True

    def owns(self, membership: Membership, number: int) -> bool:
        """Whether the group takes a commit for this partition number from the member."""
        return self._owners.get(number) == membership

    def commit(self, membership: Membership, offsets: Mapping[Partition, int]) -> bool:
        """Take the offsets, or refuse them all: they are somebody else's."""
        if not all(self.owns(membership, number) for _, number in offsets):
            self._story.count("refused commits")
            return False
        self.committed |= offsets
        return True

    def keep(self, offsets: Mapping[Partition, int]) -> None:
        """Take the checkpoints that are further than those that are there."""
        self.kept |= {partition: max(offset, self.kept[partition]) for partition, offset in offsets.items()}

    def _expel(self) -> None:
        """Members that have been silent too long are out."""
        now = asyncio.get_running_loop().time()
        for member in [name for name, at in self._heard.items() if now - at >= SESSION_SECONDS]:
            if member not in self._joining:
                del self._heard[member]
                self._is_unsettled = True

    async def _gather(self) -> None:
        """Until all members have joined; one that does not is waited for as long as a session lasts."""
        deadline = asyncio.get_running_loop().time() + SESSION_SECONDS
        while self._heard.keys() - self._joining.keys() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            self._expel()

    def _assign(self) -> None:
        joined, self._joining = {name: f for name, f in self._joining.items() if not f.done()}, {}
        self._generation += 1
        self._is_unsettled = False
        now = asyncio.get_running_loop().time()
        self._heard = dict.fromkeys(joined, now)
        names = self._chance.sample(sorted(joined), len(joined))
        self._owners = {
            number: Membership(names[place % len(names)], self._generation)
            for place, number in enumerate(self._numbers)
            if names
        }
        for name, future in joined.items():
            mine = [number for number, owner in self._owners.items() if owner.member == name]
            self._story.tell("group", "gives", mine, "to", name)
            future.set_result(Assignment(Membership(name, self._generation), mine))
