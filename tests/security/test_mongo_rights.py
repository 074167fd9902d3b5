"""With the roles of `deploy/security/mongo-role.js` all works; without one action it is said which."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from orderstream.answers import Write
from orderstream.checkpoint import Checkpoint
from orderstream.mongo import MongoOrders
from orderstream.mongo_rights import NEEDED
from orderstream.mongo_trouble import GRANT
from orderstream.ports import Fence
from orderstream.trouble import UnavailableError
from tests.security.roles import Action, a_user, actions
from tests.security.servers import SecureMongo
from tests.test_orders_contract import a_parked, an_order, next_version

WORKER: Final = actions("orderstream-worker")
AT_WORK: Final = [one for one in WORKER if one.action != "createIndex"]


@asynccontextmanager
async def store(mongo: SecureMongo, role: str, without: Action | None = None) -> AsyncIterator[MongoOrders]:
    """As a user with this role, less one action."""
    database = f"test-{uuid.uuid4().hex[:8]}"
    orders = MongoOrders(await a_user(mongo, database, role, without), database, "pymongo")
    try:
        yield orders
    finally:
        await orders.close()


async def work(orders: MongoOrders) -> None:
    """Everything that a worker does in its database after it has started."""
    order, parked = an_order(), a_parked(1)
    await orders.write([Write(None, order)])
    await orders.write([Write(order, next_version(order))])
    await orders.are_absent(order.lookup_keys)
    await orders.load(order.lookup_keys, ())
    await orders.take_numbers(1)
    fence = Fence(0, await orders.raise_epoch(0))
    await orders.epoch_of(0)
    await orders.write_fenced(fence, (), {parked.record.position: parked})
    await orders.waiting(0)
    await orders.write_fenced(fence, (), {parked.record.position: None})
    await keep_checkpoints(orders)


async def keep_checkpoints(orders: MongoOrders) -> None:
    """As the committer does."""
    kept = {("t", 0): Checkpoint("id", 1, 0, 0)}
    await orders.checkpoints.begin(kept, {"t": 1})
    await orders.checkpoints.advance({("t", 0): 5}, {("t", 0): 0})
    await orders.checkpoints.load(kept)


def test_the_role_has_what_the_worker_asks_for_at_its_start() -> None:
    needed = [Action(action, collection) for collection, named in NEEDED.items() for action in named]

    assert sorted(needed) == sorted(WORKER)


async def test_the_role_is_enough(mongo: SecureMongo) -> None:
    async with store(mongo, "orderstream-worker") as orders:
        await orders.prepare("group")
        await work(orders)

        assert 1 == len(await orders.load(an_order().lookup_keys))


@pytest.mark.parametrize("action", WORKER, ids=str)
async def test_an_action_is_missed_at_the_start(action: Action, mongo: SecureMongo) -> None:
    async with store(mongo, "orderstream-worker", action) as orders:
        with pytest.raises(UnavailableError) as caught:
            await orders.prepare("group")

    assert (f"does not let the user {action}", GRANT) == (caught.value.reason, caught.value.remedy)


@pytest.mark.parametrize("action", AT_WORK, ids=str)
async def test_an_action_that_is_taken_away_later_is_missed_too(action: Action, mongo: SecureMongo) -> None:
    async with store(mongo, "orderstream-worker", action) as orders:
        with pytest.raises(UnavailableError) as caught:
            await work(orders)

    assert action.action in caught.value.reason
    assert caught.value.reason.endswith(f"on collection {action.collection}")
    assert GRANT == caught.value.remedy


async def test_a_reader_can_read_everything_and_write_nothing(mongo: SecureMongo) -> None:
    async with store(mongo, "orderstream-reader") as orders:
        assert [] == await orders.load(["key"])
        assert [] == await orders.waiting_for(["key"], None)
        assert {} == await orders.checkpoints.load([("t", 0)])
        assert {} == await orders.replays.load([])
        with pytest.raises(UnavailableError, match="does not let the user insert on collection orders"):
            await orders.write([Write(None, an_order())])
