"""The way of the tutorials: a FastStream handler per message, a pydantic model, an upsert, a publish."""

import asyncio
from functools import partial
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel
from pymongo.write_concern import WriteConcern

from orderstream.settings import read_settings

settings = read_settings()
broker = KafkaBroker(settings.kafka_bootstrap, acks="all", enable_idempotence=True)
app = FastStream(broker)
client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(settings.mongo_url.get_secret_value())
durable = WriteConcern(w="majority", j=True)
orders = client[settings.mongo_database].get_collection("orders", write_concern=durable)
subscriber = partial(
    broker.subscriber, group_id=settings.group, auto_offset_reset="earliest", auto_commit_interval_ms=1_000
)


class Line(BaseModel):
    productId: str  # noqa: N815  # as the message has it
    variantId: str  # noqa: N815
    quantity: int
    price: float


class Order(BaseModel):
    id: str
    customer: str
    paymentStatus: str  # noqa: N815
    orderStatus: str  # noqa: N815
    billingAddress: str  # noqa: N815
    shippingAddressId: str  # noqa: N815
    shippingCost: float  # noqa: N815
    currency: dict[str, str]
    lineItems: list[Line]  # noqa: N815


class Update(BaseModel):
    id: str
    paymentStatus: str  # noqa: N815
    orderStatus: str  # noqa: N815
    shippingCost: float  # noqa: N815


class StatusChanged(BaseModel):
    id: str
    orderStatus: str  # noqa: N815
    paymentStatus: str  # noqa: N815


@subscriber(settings.topic_create)
async def on_create(order: Order) -> None:
    await orders.replace_one({"_id": order.id}, order.model_dump(), upsert=True)
    await _tell(order)


@subscriber(settings.topic_update)
async def on_update(update: Update) -> None:
    await orders.update_one({"_id": update.id}, {"$set": update.model_dump()}, upsert=True)
    await _tell(update)


async def _tell(order: Order | Update) -> None:
    event = StatusChanged(id=order.id, orderStatus=order.orderStatus, paymentStatus=order.paymentStatus)
    await broker.publish(event, topic=settings.topic_status, key=order.id.encode())


if __name__ == "__main__":
    asyncio.run(app.run())
