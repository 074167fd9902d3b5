"""Offsets without a record are no losses: an order of an aborted transaction is none, its neighbours are handled."""

import asyncio
import json

from aiokafka import AIOKafkaProducer

from orderstream.settings import Settings
from tests import load
from tests.worker import Sent, a_worker, documents, read


async def send_one(settings: Settings, message: Sent, ending: str | None) -> str:
    """Into partition 0, in a transaction that ends so, or in none; gives its position."""
    mine = None if ending is None else f"{settings.group}-{ending}"
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, transactional_id=mine) as producer:
        if ending is not None:
            await producer.begin_transaction()
        sent = await producer.send_and_wait(
            settings.topic_create, message.value, message.key, partition=0, headers=list(message.headers)
        )
        if ending is not None:
            await getattr(producer, f"{ending}_transaction")()
        return f"{sent.topic}/{sent.partition}/{sent.offset}"


async def test_an_order_of_an_aborted_transaction_is_none(settings: Settings) -> None:
    endings = (None, "abort", "commit", None)
    sent = [await send_one(settings, *one) for one in zip(load.creates(4, keys=1), endings, strict=True)]

    async with a_worker(settings) as worker:
        async with asyncio.timeout(60):  # the end of a transaction may come last, and is no record to be committed
            while len(await read(settings, settings.topic_status)) < 3:
                await asyncio.sleep(0.1)
        assert await worker.stop() == 0

    events = [json.loads(event.value or b"")["data"]["cause"] for event in await read(settings, settings.topic_status)]
    assert sorted([sent[0], *sent[2:]]) == sorted(events)
    assert 3 == len(await documents(settings))
