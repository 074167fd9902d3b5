"""One suite for the store: the fake in memory and MongoDB through both drivers answer alike."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_args

import bson
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from orderstream.answers import Circumstances, Item, Write
from orderstream.batch import decide
from orderstream.checkpoint import Checkpoint
from orderstream.commands import Command, Headers
from orderstream.decode import Contracts, decode
from orderstream.documents import CODEC, encode, to_order
from orderstream.local.ports import launch_on_free_ports
from orderstream.local.process import ServerProcess
from orderstream.local.programs import mongod
from orderstream.mongo import Driver, MongoOrders
from orderstream.mongo_checkpoints import OvertakenError
from orderstream.mongo_fences import awaited
from orderstream.order import Order
from orderstream.parking import Mark, Parked
from orderstream.ports import Fence, FencedError, Orders, TooLargeError, WaitingRecord, Written
from orderstream.problems import Code, Problem
from orderstream.trouble import UnavailableError, UnfitError
from tests.builders import NOW, a_create, a_message
from tests.conftest import Servers
from tests.fakes import MemoryOrders

DRIVERS: Final = get_args(Driver)


@pytest_asyncio.fixture(name="orders", params=["memory", *DRIVERS])
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


def a_parked(offset: int) -> Parked:
    """An update that waits, with the oddest bytes."""
    record = a_message("order.patch", {"email": "x"}, offset, order_ref="W")
    odd: Headers = (("x-own", b"\xff"), ("x-own", None))
    record = record._replace(key=b"\x00\xff", headers=(*record.headers, *odd))
    command = decode(record, Contracts())
    assert isinstance(command, Command)
    return Parked(record, command, NOW)


def next_version(order: Order) -> Order:
    """The order as a later write would leave it."""
    return order._replace(revision=2, ledger=order.ledger._replace(version=order.ledger.version + 1))


async def test_an_order_is_found_by_its_keys_and_by_its_id(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])

    by_key, by_id = await orders.load(order.lookup_keys[:1], ()), await orders.load((), [order.id])

    assert [order] == by_key == by_id
    assert [] == await orders.load(["wishlist/acme/order-ref/other"], ["0" * 24])


async def test_orders_that_are_too_large_together_are_not_loaded(orders: Orders) -> None:
    one, other = an_order(), an_order("R2", 1)
    await orders.write([Write(None, one), Write(None, other)])
    size = len(encode(one))

    assert [one] == await orders.load((), [one.id], size + 10)
    with pytest.raises(TooLargeError):
        await orders.load((), [one.id, other.id], size + 10)


async def test_absence_is_told(orders: Orders) -> None:
    order, others = an_order(), ["wishlist/acme/order-ref/other", "wishlist/acme/order-ref/another"]
    await orders.write([Write(None, order)])

    assert await orders.are_absent(others[:1])
    assert await orders.are_absent(others)
    assert not await orders.are_absent([order.lookup_keys[0], *others])
    assert not await orders.are_absent([*others, order.lookup_keys[0]])


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

    assert Written(done=False, taken=("wishlist/example-retailer/order-ref/R1",)) == written
    assert [] == await orders.load((), [twin.id])


async def test_an_order_that_is_there_is_not_inserted_again(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])

    written = await orders.write([Write(None, next_version(order))])

    assert Written(done=False) == written
    assert [order] == await orders.load((), [order.id])


async def test_an_order_that_is_gone_is_not_replaced(orders: Orders) -> None:
    order = an_order()

    assert Written(done=False) == await orders.write([Write(order, next_version(order))])
    assert [] == await orders.load((), [order.id])


async def test_an_order_is_stored_as_a_later_write_leaves_it(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])

    written = await orders.write([Write(order, next_version(order))])

    assert Written(done=True) == written
    assert [next_version(order)] == await orders.load((), [order.id])


async def test_a_key_that_an_order_gave_up_is_free(orders: Orders) -> None:
    order, heir = an_order(), an_order("R2", 1)
    await orders.write([Write(None, order)])
    poorer = next_version(order)._replace(lookup_keys=order.lookup_keys[1:])
    await orders.write([Write(order, poorer)])

    written = await orders.write([Write(None, heir._replace(lookup_keys=order.lookup_keys[:1]))])

    assert written.done
    assert [heir.id] == [found.id for found in await orders.load(order.lookup_keys[:1], ())]


async def test_many_orders_are_written_and_found_together(orders: Orders) -> None:
    many = [an_order(f"R{number}", number) for number in range(300)]

    written = await orders.write([Write(None, order) for order in many])

    found = await orders.load([order.lookup_keys[0] for order in many[:200]], [order.id for order in many[100:]])
    assert written.done
    assert sorted(many) == sorted(found)


async def test_an_order_is_found_once_by_any_of_more_keys_than_one_command_can_hold(orders: Orders) -> None:
    order = an_order()
    await orders.write([Write(None, order)])
    others = [f"wishlist/{'x' * 500}/entry-id/{number}" for number in range(40_000)]

    assert [order] == await orders.load([order.lookup_keys[0], *others, order.lookup_keys[1]], [order.id])


async def test_writes_that_come_together_are_each_told_what_became_of_them(orders: Orders) -> None:
    order, *new = (an_order(f"R{number}", number) for number in range(4))
    await orders.write([Write(None, order)])
    twin = an_order("R0", 9)

    lanes = [[new[0]], [new[1], twin], [new[2]]]
    told = await asyncio.gather(*(orders.write([Write(None, one) for one in lane]) for lane in lanes))

    assert [True, False, True] == [written.done for written in told]
    assert [(), order.lookup_keys[:1], ()] == [written.taken for written in told]
    assert sorted(new) == sorted(await orders.load((), [one.id for one in (*new, twin)]))


async def test_a_guard_that_misses_costs_nobody_beside_it_an_order(orders: Orders) -> None:
    order, other = an_order(), an_order("R2", 1)
    await orders.write([Write(None, order)])
    await orders.write([Write(order, next_version(order))])

    stale, _ = await asyncio.gather(
        orders.write([Write(order, order._replace(revision=9))]), orders.write([Write(None, other)])
    )

    assert not stale.done
    assert {2, 1} == {found.revision for found in await orders.load((), [order.id, other.id])}


async def test_nothing_to_write_and_nothing_to_load_is_done(orders: Orders) -> None:
    assert Written(done=True) == await orders.write([])
    assert [] == await orders.load((), ())


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
        await orders.write_fenced(late, [Write(None, order)], {})
    written = await orders.write_fenced(now, [Write(None, order)], {})

    assert written.done
    assert now.epoch == await orders.epoch_of(3)
    assert [order] == await orders.load((), [order.id])


async def test_lanes_have_epochs_of_their_own(orders: Orders) -> None:
    assert 0 == await orders.epoch_of(4)
    assert [1, 2, 1] == [await orders.raise_epoch(lane) for lane in (4, 4, 5)]


async def test_what_waits_comes_back_as_it_was_in_the_order_of_offsets(orders: Orders) -> None:
    fence = Fence(0, await orders.raise_epoch(0))
    early, marked, late = (a_parked(offset) for offset in (1, 2, 30))
    mark = Mark(marked.record, "a" * 24, (2, 3), (Problem(Code.FIELD_TYPE, "a", "b"),), 7)

    await orders.write_fenced(fence, (), {one.record.position: one for one in (late, early)})
    await orders.write_fenced(fence, (), {marked.record.position: mark})

    assert [
        WaitingRecord(early.record, early.since, None),
        WaitingRecord(marked.record, marked.record.at, mark),
        WaitingRecord(late.record, late.since, None),
    ] == await orders.waiting(0)
    assert [] == await orders.waiting(1)


async def test_orders_and_what_waited_for_them_are_written_together(orders: Orders) -> None:
    fence, order, other = Fence(0, await orders.raise_epoch(0)), an_order(), an_order("R2", 1)
    waits = [a_parked(1), a_parked(2)]
    await orders.write_fenced(fence, (), {one.record.position: one for one in waits})

    writes = [Write(None, order), Write(None, other)]
    written = await orders.write_fenced(fence, writes, {one.record.position: None for one in waits})

    assert written.done
    assert ([order], [other]) == (await orders.load((), [order.id]), await orders.load((), [other.id]))
    assert [] == await orders.waiting(0)


@pytest.mark.parametrize("reason", ["another version", "a key of another order", "no document can hold it", "a fence"])
async def test_orders_and_what_waited_for_them_are_written_together_or_not_at_all(orders: Orders, reason: str) -> None:
    fence, order, parked = Fence(0, await orders.raise_epoch(0)), an_order(), a_parked(1)
    await orders.write([Write(None, order)])
    await orders.write([Write(order, next_version(order))])
    stale = Write(order, next_version(order)._replace(revision=9))
    twin, huge = an_order("R1", 1), an_order("R2", 2)
    huge = huge._replace(body={**huge.body, "email": "x" * (13 * 2**20)})
    write = {"a key of another order": Write(None, twin), "no document can hold it": Write(None, huge)}.get(
        reason, stale
    )
    sound = an_order("R3", 3)
    if reason == "a fence":
        await orders.raise_epoch(0)

    with suppress(FencedError):
        writes = [Write(None, sound), write]
        assert not (await orders.write_fenced(fence, writes, {parked.record.position: parked})).done

    assert [next_version(order)] == await orders.load((), [order.id, twin.id, huge.id, sound.id])
    assert [] == await orders.waiting(0)


async def test_what_stood_in_the_way_of_a_fenced_write_is_named(orders: Orders) -> None:
    fence, order, twin = Fence(0, await orders.raise_epoch(0)), an_order(), an_order("R1", 1)
    huge = twin._replace(body={**twin.body, "email": "x" * (13 * 2**20)})
    await orders.write([Write(None, order)])

    taken = await orders.write_fenced(fence, [Write(None, twin)], {})
    unstorable = await orders.write_fenced(fence, [Write(None, huge)], {})

    assert Written(done=False, taken=("wishlist/example-retailer/order-ref/R1",)) == taken
    assert Written(done=False, unstorable=(twin.id,)) == unstorable


def test_an_order_survives_its_document() -> None:
    order = an_order()._replace(totals={"grand": Decimal("12.50"), "items": Decimal(3)})

    assert order == to_order(bson.decode(encode(order), CODEC))


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_database_serves_one_group(servers: Servers, driver: Driver) -> None:
    store = MongoOrders(servers.mongo, f"test-{uuid.uuid4().hex[:8]}", driver)
    await store.prepare("first")

    await store.prepare("first")
    with pytest.raises(
        UnfitError, match="belongs to consumer group 'first', not 'second'; use another ORDERSTREAM_MONGO"
    ):
        await store.prepare("second")
    await store.close()


async def test_every_key_is_unique_and_the_common_questions_have_an_index(servers: Servers) -> None:
    database = f"test-{uuid.uuid4().hex[:8]}"
    store = MongoOrders(servers.mongo, database, "pymongo")
    await store.prepare("group")
    async with AsyncMongoClient[dict[str, object]](servers.mongo) as client:
        found = await client[database]["orders"].index_information()
    await store.close()

    assert {"customer.id_1", "status.order_1_updated_at_1", "lookup_keys_1"} <= found.keys()
    assert found["lookup_keys_1"]["unique"]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_mongodb_that_is_no_replica_set_is_unfit(tmp_path: Path, driver: Driver) -> None:
    server = ServerProcess("mongod", tmp_path)
    ports: list[int] = []

    async def launch(free: list[int]) -> None:
        ports[:] = free
        await server.start([str(mongod()), "--bind_ip=127.0.0.1", f"--port={free[0]}", "--dbpath=.", "--nounixsocket"])

    await launch_on_free_ports(tmp_path, 1, launch)
    store = MongoOrders(f"mongodb://127.0.0.1:{ports[0]}/", "none", driver)
    try:
        with pytest.raises(UnfitError, match=r"no replica set; start mongod with --replSet and run rs.initiate\(\)"):
            await server.until(lambda: store.prepare("group"), UnavailableError)
    finally:
        await store.close()
        await server.stop()


async def test_a_lane_that_was_overtaken_takes_no_checkpoint_back(servers: Servers) -> None:
    store = MongoOrders(servers.mongo, f"test-{uuid.uuid4().hex[:8]}", "pymongo")
    partitions = [("t", 0), ("t", 1)]
    try:
        await store.checkpoints.begin(dict.fromkeys(partitions, Checkpoint("id", 1, 0, 0)), {"t": 2})
        await store.checkpoints.advance(dict.fromkeys(partitions, 7), dict.fromkeys(partitions, 5))
        with pytest.raises(OvertakenError):
            await store.checkpoints.advance({("t", 0): 6, ("t", 1): 8}, dict.fromkeys(partitions, 6))
        reached = await store.checkpoints.reached(partitions)
    finally:
        await store.close()

    assert {("t", 0): 7, ("t", 1): 8} == reached


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_transaction_that_a_dead_owner_has_left_open_holds_up_nobody(driver: Driver, servers: Servers) -> None:
    database = f"test-{uuid.uuid4().hex[:8]}"
    dead, alive = MongoOrders(servers.mongo, database, driver), MongoOrders(servers.mongo, database, driver)
    try:
        fence = Fence(0, await dead.raise_epoch(0))
        await awaited(dead._fences._sessions[0].start_transaction())
        await dead._worker.update_one({"_id": "lane/0"}, {"$inc": {"writes": 1}}, session=dead._fences._sessions[0])

        async with asyncio.timeout(20):  # MongoDB ends it by itself after 60 s
            now = Fence(0, await alive.raise_epoch(0))
            await alive.write_fenced(now, (), {a_parked(1).record.position: a_parked(1)})
        await dead._fences._sessions[0].abort_transaction()
        with pytest.raises(FencedError):
            await dead.write_fenced(fence, (), {a_parked(1).record.position: None})
    finally:
        await dead.close()
        await alive.close()

    assert (1, 2) == (fence.epoch, now.epoch)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # PyMongo drops a socket that was still connecting
@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_server_that_is_away_is_trouble_within_seconds_and_without_its_address(driver: Driver) -> None:
    store = MongoOrders("mongodb://user:secret@127.0.0.1:1/?replicaSet=none", "none", driver)
    order, fence = an_order(), Fence(0, 1)
    calls: list[Coroutine[Any, Any, object]] = [
        store.load(["key"], ()),
        store.are_absent(["key"]),
        store.write([Write(None, order)]),
        store.write_fenced(fence, [Write(None, order)], {}),
        store.take_numbers(1),
        store.raise_epoch(0),
        store.epoch_of(0),
        store.waiting(0),
        store.prepare("group"),
    ]

    async with asyncio.timeout(15):
        errors = await asyncio.gather(*calls, return_exceptions=True)

    assert {UnavailableError} == {type(error) for error in errors}
    assert {"mongo: does not listen at its address"} == {str(error) for error in errors}
    await store.close()
    del store
    gc.collect()  # here, where the warning is expected
