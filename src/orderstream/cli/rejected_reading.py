"""The topic of rejected messages read to its present end, as the commands `rejected …` do (interface 5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from orderstream.consumer import History, Records, history
from orderstream.order import Position
from orderstream.rejections import NotARejectionError, Recent, Rejection, rejection
from orderstream.settings import Settings
from orderstream.terminal import say

TELL_SECONDS: Final = 2.0  # between two lines about how far it is


@asynccontextmanager
async def rejected(settings: Settings, since: datetime | None = None) -> AsyncIterator[AsyncIterator[Rejection]]:
    """Each rejection that the topic holds, from its start or from a moment on; repeats are dropped.

    Raises `UnavailableError` and `TopicsMissingError`, while it is read too.
    """
    async with history(settings, settings.topic_rejected, since=since) as records:
        yield _each(records, settings.topic_rejected)


async def _each(records: History, topic: str) -> AsyncIterator[Rejection]:
    recent, foreign = Recent(), 0
    async for record in _told(records):
        stands = Position(record.topic, record.partition, record.offset)
        try:
            one = rejection(stands, record.key, record.value, tuple(record.headers))
        except NotARejectionError:
            foreign += 1
            continue
        if recent.is_new(one.id):
            yield one
    if foreign:
        say(f"left out of {topic}: {foreign:,} records that are no rejections")


async def _told(records: History) -> Records:
    """Says now and then how far it is."""
    clock = asyncio.get_running_loop().time
    told = clock()
    number = 0
    async for record in records:
        number += 1
        if clock() - told > TELL_SECONDS:
            told = clock()
            say(f"{number:,} of {records.total:,} read")
        yield record
