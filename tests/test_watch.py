"""The look at the whole: a consumer that gets nothing although records lie ready is replaced."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orderstream.app import Assembly, assembled
from orderstream.mongo import MongoOrders
from orderstream.observers import Observers
from orderstream.settings import Settings
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
