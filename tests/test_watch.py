"""The look at the whole: a consumer that gets nothing is replaced, and nothing goes on after a stop."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from orderstream.app import Assembly, assembled
from orderstream.checkpoint import Judgement
from orderstream.ledger import Partition
from orderstream.mongo import MongoOrders
from orderstream.observers import Observers
from orderstream.settings import Settings
from orderstream.stream import Stream
from orderstream.watch import STUCK_LOOKS
from tests import load
from tests.builders import NOW
from tests.worker import caught_up, documents, send, until


@asynccontextmanager
async def a_worker_in_this_process(settings: Settings) -> AsyncIterator[Assembly]:
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    await orders.prepare(settings.group)
    parts = assembled(settings, Observers(lambda: NOW), orders)
    await parts.broker.start()
    try:
        await until(lambda: len(parts.lanes.open) == 12, "no lanes")
        yield parts
    finally:
        await parts.lanes.stop()
        await parts.broker.stop()
        await parts.outputs.stop()
        await orders.close()


async def test_a_stuck_consumer_is_replaced(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        stuck = parts.subscriber.consumer
        assert stuck
        stuck.pause(*stuck.assignment())
        await send(settings, load.creates(30, keys=6))
        for _ in range(STUCK_LOOKS + 1):
            await parts.watch.look()
        await caught_up(settings)

        assert stuck is not parts.subscriber.consumer
    assert 30 == len(await documents(settings))


async def test_a_consumer_that_gets_records_or_waits_for_them_is_not_replaced(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        well = parts.subscriber.consumer
        for _ in range(STUCK_LOOKS + 1):
            await parts.watch.look()
        for seed in range(STUCK_LOOKS + 1):
            await send(settings, load.creates(5, keys=6, seed=seed))
            await parts.watch.look()

        assert well is parts.subscriber.consumer


def tasks_of_lanes() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if "coro=<Lanes." in repr(task)]


async def test_a_stop_ends_whatever_opens_lanes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    judged, asked = Stream.judged, asyncio.Event()

    async def stubborn(self: Stream, partitions: Collection[Partition] | None = None) -> Mapping[Partition, Judgement]:
        asked.set()
        with suppress(asyncio.CancelledError):  # as aiokafka does when it closes
            await asyncio.sleep(3)
        return await judged(self, partitions)

    async with a_worker_in_this_process(settings) as parts:
        monkeypatch.setattr(Stream, "judged", stubborn)
        parts.lanes.reopen(parts.lanes.open)
        await asked.wait()
        await parts.lanes.stop()

        assert not parts.lanes.open
        assert not tasks_of_lanes()


async def test_a_worker_that_has_stopped_opens_nothing_when_the_group_gives_it_more(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        assert parts.subscriber.consumer
        await parts.lanes.stop()
        await parts.lanes.on_partitions_assigned(parts.subscriber.consumer.assignment())

        assert not tasks_of_lanes()
