"""The bare limit: what Kafka, MongoDB and their clients take by themselves; nothing is checked."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.write_concern import WriteConcern

from orderstream.settings import Settings, read_settings

AT_ONCE: Final = 2_000  # records; 1,000 to 10,000 were equally fast


async def main(settings: Settings) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    durable = WriteConcern(w="majority", j=True)
    orders = client[settings.mongo_database].get_collection("orders", write_concern=durable)
    consumer = AIOKafkaConsumer(
        settings.topic_create, bootstrap_servers=settings.kafka_bootstrap, group_id=settings.group,
        enable_auto_commit=False, auto_offset_reset="earliest",
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, acks="all", enable_idempotence=True, max_batch_size=2**18
    )
    await consumer.start()
    await producer.start()
    while True:
        found = await consumer.getmany(timeout_ms=1_000, max_records=AT_ONCE)
        records = [record for some in found.values() for record in some]
        if records:
            await settle(records, orders, producer, settings.topic_status)
            await consumer.commit()


async def settle(
    records: "list[ConsumerRecord[bytes, bytes]]",
    orders: AsyncCollection[dict[str, Any]],
    producer: AIOKafkaProducer,
    topic: str,
) -> None:
    """Store and tell."""
    values = [orjson.loads(record.value or b"") for record in records]
    await orders.insert_many(values, ordered=False)
    sent = [await producer.send(topic, _event(value), key=value["id"].encode()) for value in values]
    await asyncio.gather(*sent)


def _event(value: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"{value['id']}:1",
            "type": "order.created",
            "source": "/orderstream/b2b-commerce/acme",
            "subject": value["id"],
            "time": datetime.now(UTC),  # noqa: TID251  # an edge
            "data": {"order_id": value["id"], "to": {"order": value["orderStatus"], "payment": value["paymentStatus"]}},
        }
    )


if __name__ == "__main__":
    asyncio.run(main(read_settings()))
