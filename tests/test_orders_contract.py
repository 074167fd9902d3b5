"""One suite for the store: the fake in memory and MongoDB through both drivers answer alike."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal

import bson
import pytest
import pytest_asyncio

from orderstream.answers import Circumstances, Item, Write
from orderstream.batch import decide
from orderstream.decode import Contracts, decode
from orderstream.documents import CODEC, encode, to_order
from orderstream.mongo import MongoOrders
from orderstream.order import Order
from orderstream.ports import Fence, FencedError, Orders
from orderstream.trouble import UnavailableError, UnfitError
from tests.builders import a_create
from tests.conftest import Servers
from tests.fakes import MemoryOrders


@pytest_asyncio.fixture(name="orders", params=["memory", "motor", "pymongo"])
async def _orders(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Orders]:
    if request.param == "memory":
        yield MemoryOrders()
        return
    store = MongoOrders(servers.mongo, f"test-{uuid.uuid4().hex[:8]}", request.param)
    await store.prepare("group")
    yield store
    await store.close()


def an_order(reference: str = "R1", offset: int = 0) -> Order:
    """A wishlist order as its create makes it."""
    record = a_create("wishlist", {"orderRef": reference})
    record = record._replace(position=record.position._replace(offset=offset))
    (write,) = decide([Item(record, decode(record, Contracts()))], [], Circumstances(blind=True)).writes
    return write.after


def next_version(order: Order) -> Order:
    """The order as a later write would leave it."""
    return order._replace(revision=2, ledger=order.ledger._replace(version=order.ledger.version + 1))


async def test_an_order_is_found_by_its_keys_and_by_its_id(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])

    by_key, by_id = await orders.load(order.lookup_keys[:1], ()), await orders.load((), [order.id])

    assert [order] == by_key == by_id
    assert [] == await orders.load(["wishlist/acme/order-ref/other"], ["0" * 24])


async def test_absence_is_told(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])

    assert not await orders.is_absent(order.lookup_keys[0])
    assert await orders.is_absent("wishlist/acme/order-ref/other")


async def test_a_write_on_another_version_changes_nothing_and_costs_the_others_nothing(orders: Orders) -> None:
    order, other = an_order(), an_order("R2", 1)
    await orders.write([Write(None, order)])
    await orders.write([Write(order, next_version(order))])

    written = await orders.write([Write(order, order._replace(revision=9)), Write(None, other)])

    assert not written.done
    assert {2, 1} == {found.revision for found in await orders.load((), [order.id, other.id])}


async def test_a_key_of_another_order_is_named(orders: Orders) -> None:
    order, twin = an_order(), an_order("R1", 1)
    await orders.write([Write(None, order)])

    written = await orders.write([Write(None, twin)])

    assert not written.done
    assert set(written.taken) <= set(order.lookup_keys)
    assert [] == await orders.load((), [twin.id])


async def test_an_order_that_no_document_can_hold_is_named_and_nothing_is_written(orders: Orders) -> None:
    good, bad = an_order(), an_order("R2", 1)
    bad = bad._replace(body={**bad.body, "email": "x" * (13 * 2**20)})

    written = await orders.write([Write(None, good), Write(None, bad)])

    assert (False, (bad.id,)) == (written.done, written.unstorable)
    assert [] == await orders.load((), [good.id, bad.id])


async def test_numbers_are_given_once(orders: Orders) -> None:
    taken = await asyncio.gather(*(orders.take_numbers(count) for count in (1, 5, 3, 1)))

    assert list(range(1, 11)) == sorted(number for numbers in taken for number in numbers)


async def test_an_earlier_owner_cannot_write_what_waits(orders: Orders) -> None:
    late = Fence(3, await orders.raise_epoch(3))
    now = Fence(3, await orders.raise_epoch(3))
    order = an_order()

    with pytest.raises(FencedError):
        await orders.write_fenced(late, Write(None, order), {})
    written = await orders.write_fenced(now, Write(None, order), {})

    assert written.done
    assert now.epoch == await orders.epoch_of(3)
    assert [order] == await orders.load((), [order.id])


def test_an_order_survives_its_document() -> None:
    order = an_order()._replace(totals={"grand": Decimal("12.50"), "items": Decimal(3)})

    assert order == to_order(bson.decode(encode(order), CODEC))


async def test_a_database_serves_one_group(servers: Servers) -> None:
    store = MongoOrders(servers.mongo, f"test-{uuid.uuid4().hex[:8]}", "pymongo")
    await store.prepare("first")

    with pytest.raises(UnfitError, match="belongs to consumer group 'first'"):
        await store.prepare("second")
    await store.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # PyMongo drops a socket that was still connecting
async def test_a_server_that_is_away_is_trouble_without_its_address() -> None:
    store = MongoOrders("mongodb://user:secret@127.0.0.1:1/?serverSelectionTimeoutMS=200", "none", "pymongo")

    with pytest.raises(UnavailableError) as raised:
        await store.load(["key"], ())

    assert "secret" not in str(raised.value)
    await store.close()
    del store
    gc.collect()  # here, where the warning is expected
