"""Time by the group's committed offsets: from the first commit seen to the end, so that starting does not count."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from orderstream.settings import Settings

POLL_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 120.0  # without a commit
UNKNOWN: Final = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError)


class UntimedError(Exception):
    """A contestant commits nothing any more, or all at once."""


class Seen(NamedTuple):
    """How far a group was, and when."""

    at: float  # of a monotonic clock, in seconds
    records: int


class Timed(NamedTuple):
    """The stretch that counts."""

    first: Seen
    last: Seen

    @property
    def records(self) -> int:
        return self.last.records - self.first.records

    @property
    def seconds(self) -> float:
        return self.last.at - self.first.at

    @property
    def rate(self) -> float:
        """Records per second. Raises `UntimedError`."""
        if not self.seconds:
            raise UntimedError(f"all {self.last.records} were committed at once: too few to be timed")
        return self.records / self.seconds


class Group:
    """A consumer group as its committed offsets show it."""

    def __init__(self, admin: AIOKafkaAdminClient, name: str) -> None:
        self._admin, self._name = admin, name

    async def committed(self) -> Seen:
        """The sum over all partitions."""
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._name)
        except UNKNOWN:
            offsets = {}
        return Seen(time.monotonic(), sum(max(0, one.offset) for one in offsets.values()))

    async def until(self, records: int, look: Callable[[Seen], object] = lambda _: None) -> Timed:
        """Wait until so many are committed; *look* is shown every state from the first commit on.

        Raises `UntimedError`.
        """
        base = first = last = await self.committed()
        while last.records < records:
            await asyncio.sleep(POLL_SECONDS)
            now = await self.committed()
            if now.records > last.records:
                first = now if first.records == base.records else first
                last = now
            if now.at - last.at > PATIENCE_SECONDS:
                raise UntimedError(f"nothing committed for {PATIENCE_SECONDS:.0f} s, at {last.records} of {records}")
            if now.records > base.records:
                look(now)
        return Timed(first, last)


@asynccontextmanager
async def group(settings: Settings, name: str) -> AsyncIterator[Group]:
    """The group of this name."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        yield Group(admin, name)
    finally:
        await admin.close()
