"""What a message names is a value in a query, never an operator or a path: as MongoDB itself has seen it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import bson
import pytest_asyncio
from pymongo import AsyncMongoClient

from orderstream.lookup import find, find_in
from orderstream.mongo import MongoOrders
from orderstream.settings import Settings
from tests.bad_inputs import dialects, headers, ids, members
from tests.bad_inputs.play import prepare, send_all
from tests.conftest import Servers, fresh_settings
from tests.test_worker import DOCUMENT_MEMBERS
from tests.worker import a_worker, caught_up

Seen = Mapping[str, Any]

HOSTILE: Final = [case for group in (ids, members, dialects, headers) for case in group.CASES]
NAMES: Final = ('{"$gt": ""}', "$where", "a.b", "a/b", "\0", "__proto__", ".*", "{$ne: null}", "65" * 12, "$" * 512)
MEMBERS: Final = {
    "_id",
    "lookup_keys",
    "ledger.version",
    "refs.cart_id",
    "refs.platform.id",
}  # what orders are found by
OPERATORS: Final = {"$or", "$in", "$gt"}
VALUES: Final = (str, int, bson.ObjectId)


@pytest_asyncio.fixture(name="profile", scope="module")
async def _profile(servers: Servers) -> Sequence[Seen]:
    """Every operation on orders: of a worker that takes hostile messages, and of people who look orders up."""
    settings = await fresh_settings(servers)
    await prepare(settings)
    async with profiled(settings) as seen:
        async with a_worker(settings):
            for topic in ("create", "update"):
                await send_all(settings, topic, HOSTILE)
                await caught_up(settings)
        await look_up(settings)
    return seen


@asynccontextmanager
async def profiled(settings: Settings) -> AsyncIterator[list[Seen]]:
    """What MongoDB notes down meanwhile."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    database, seen = client[settings.mongo_database], list[Seen]()
    try:
        await database.create_collection("system.profile", capped=True, size=2**26)
        await database.command("profile", 2)
        yield seen
        await database.command("profile", 0)
        seen += await database["system.profile"].find({"ns": f"{settings.mongo_database}.orders"}).to_list()
    finally:
        await client.close()


async def look_up(settings: Settings) -> None:
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    try:
        for name in NAMES:
            await find(orders, name)
            await find_in(orders, name, "wishlist", name)
            await orders.load([name])
            assert await orders.are_absent([name, f"{name}-2"])
    finally:
        await orders.close()


def filters(profile: Sequence[Seen]) -> Iterator[Seen]:
    for one in profile:
        command = one["command"]
        yield from (part for part in (command.get("filter"), command.get("q")) if part)


def leaves(value: object) -> Iterator[object]:
    match value:
        case dict():
            for member in value.values():
                yield from leaves(member)
        case list():
            for element in value:
                yield from leaves(element)
        case _:
            yield value


def names(value: object) -> Iterator[str]:
    match value:
        case dict():
            for name, member in value.items():
                yield name
                yield from names(member)
        case list():
            for element in value:
                yield from names(element)


def test_orders_are_found_by_a_few_members_and_operators_only(profile: Sequence[Seen]) -> None:
    used = {name for each in filters(profile) for name in names(each)}

    assert {"_id", "lookup_keys", "$or", "$in"} <= used
    assert used <= MEMBERS | OPERATORS


def test_what_they_are_found_by_is_compared_as_a_value(profile: Sequence[Seen]) -> None:
    compared = [leaf for each in filters(profile) for leaf in leaves(each)]

    assert [] == [leaf for leaf in compared if type(leaf) not in VALUES]
    assert {leaf for leaf in compared if isinstance(leaf, str) and "%24gt" in leaf}


def test_orders_are_replaced_as_a_whole(profile: Sequence[Seen]) -> None:
    updates = [one["command"] for one in profile if one["op"] == "update"]

    assert updates
    assert [DOCUMENT_MEMBERS] * len(updates) == [set(update["u"]) for update in updates]
    assert {False} == {bool(update["multi"] or update["upsert"]) for update in updates}


def test_nothing_else_is_done_to_them(profile: Sequence[Seen]) -> None:
    done = {one["op"] if one["op"] != "command" else next(iter(one["command"])) for one in profile}

    assert done <= {"query", "insert", "update", "getmore", "createIndexes", "listIndexes"}
