"""Millions of orders put into a collection directly: those that the worker stored, again and again with other ids."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

from orderstream.identity import document_id
from orderstream.order import Position
from orderstream.settings import Settings

FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS: Final = 50_000
AT_ONCE: Final = 5_000


async def fill(settings: Settings, count: int) -> None:
    """Add so many copies of the orders that are there, under the indexes that are there."""
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url.get_secret_value()) as client:
        orders = client[settings.mongo_database]["orders"]
        copies = _copies(await orders.find().to_list(), count)
        while some := list(islice(copies, AT_ONCE)):
            await orders.insert_many(some, ordered=False)
        await client.admin.command("fsync")


def _copies(orders: Sequence[dict[str, Any]], count: int) -> Iterator[RawBSONDocument]:
    """One a second, each at a position of its own, in a topic that nobody reads."""
    for number in range(count):
        copy = orders[number % len(orders)]
        position = Position("loaded", number % 12, number // 12)
        id_ = document_id(FIRST_DAY + timedelta(seconds=number), position)
        copy["_id"] = ObjectId(id_)
        copy["refs"]["order_id"] = copy["history"][0]["refs"]["order_id"] = id_
        copy["lookup_keys"] = [f"b2b-commerce/acme/order-id/{id_}"]
        copy["customer"]["id"] = f"{number % CUSTOMERS:024x}"
        copy["history"][0]["cause"] = copy["ledger"]["decisions"][0]["position"] = str(position)
        yield RawBSONDocument(bson.encode(copy))
