"""Offsets without a record are no losses: an order of an aborted transaction is none, its neighbours are handled."""

import json

from aiokafka import AIOKafkaProducer

from orderstream.settings import Settings
from tests import load
from tests.worker import Sent, a_worker, caught_up, documents, read


async def send_one(settings: Settings, message: Sent, ending: str | None) -> None:
    """Into partition 0, in a transaction that ends so, or in none."""
    mine = None if ending is None else f"{settings.group}-{ending}"
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, transactional_id=mine) as producer:
        if ending is not None:
            await producer.begin_transaction()
        await producer.send_and_wait(
            settings.topic_create, message.value, message.key, partition=0, headers=list(message.headers)
        )
        if ending is not None:
            await getattr(producer, f"{ending}_transaction")()


async def test_an_order_of_an_aborted_transaction_is_none(settings: Settings) -> None:
    for message, ending in zip(load.creates(4, keys=1), (None, "abort", "commit", None), strict=True):
        await send_one(settings, message, ending)

    async with a_worker(settings) as worker:
        await caught_up(settings)
        assert await worker.stop() == 0

    events = [json.loads(event.value or b"")["data"]["cause"] for event in await read(settings, settings.topic_status)]
    assert [f"{settings.topic_create}/0/{offset}" for offset in (0, 3, 5)] == events  # 2 and 4 end transactions
    assert 3 == len(await documents(settings))
