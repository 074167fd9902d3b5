"""What goes together in one bulk, and what does not; what becomes of it is in `test_orders_contract`."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from pymongo import InsertOne
from pymongo.errors import AutoReconnect

from orderstream.mongo_bulk import SMALL, Bulks, Operation
from orderstream.ports import Written
from orderstream.trouble import UnavailableError

DONE = Written(done=True)


class SlowCollection:
    """Holds every bulk up until it is let go."""

    def __init__(self) -> None:
        self.bulks: list[list[int]] = []  # ids of their orders
        self.error: Exception | None = None
        self._free = asyncio.Event()

    def let_go(self) -> None:
        """Bulks are done from now on."""
        self._free.set()

    async def bulk_write(self, operations: Sequence[InsertOne[dict[str, int]]], *, ordered: bool) -> SimpleNamespace:
        """All are inserted."""
        assert not ordered
        self.bulks.append([operation._doc["_id"] for operation in operations])
        await self._free.wait()
        if self.error:
            raise self.error
        return SimpleNamespace(inserted_count=len(operations), matched_count=0)


def orders(*ids: int) -> list[Operation]:
    """New orders with these ids."""
    return [InsertOne({"_id": id_}) for id_ in ids]


async def begun(*writes: "asyncio.Task[Written]") -> None:
    """Every write has got as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(write.done() for write in writes)


@pytest.fixture(name="collection")
async def _collection() -> SlowCollection:
    return SlowCollection()


@pytest.fixture(name="bulks")
async def _bulks(collection: SlowCollection) -> Bulks:
    return Bulks(collection)


async def test_what_comes_while_a_bulk_is_under_way_goes_together(collection: SlowCollection, bulks: Bulks) -> None:
    first = asyncio.create_task(bulks.write_together(orders(1)))
    await begun(first)
    later = [asyncio.create_task(bulks.write_together(orders(id_, id_ + 1))) for id_ in (2, 4)]
    await begun(*later)
    collection.let_go()

    assert [DONE, DONE, DONE] == await asyncio.gather(first, *later)
    assert [[1], [2, 3, 4, 5]] == collection.bulks


async def test_many_orders_and_second_tries_wait_for_nobody(collection: SlowCollection, bulks: Bulks) -> None:
    many = range(10, 11 + SMALL)
    writes = [
        asyncio.create_task(bulks.write_together(orders(1))),
        asyncio.create_task(bulks.write_together(orders(*many))),
        asyncio.create_task(bulks.write(orders(2))),
    ]
    await begun(*writes)

    assert [[1], [2], [*many]] == sorted(collection.bulks)
    collection.let_go()
    assert [DONE, DONE, DONE] == await asyncio.gather(*writes)


async def test_trouble_is_told_to_all_and_is_over_with_the_bulk(collection: SlowCollection, bulks: Bulks) -> None:
    writes = [asyncio.create_task(bulks.write_together(orders(id_))) for id_ in (1, 2)]
    await begun(*writes)
    collection.error = AutoReconnect("gone")
    collection.let_go()
    told = await asyncio.gather(*writes, return_exceptions=True)
    collection.error = None

    assert [[1, 2]] == collection.bulks
    assert [UnavailableError, UnavailableError] == [type(error) for error in told]
    assert DONE == await bulks.write_together(orders(3))


async def test_a_lane_that_ends_takes_nobody_with_it(collection: SlowCollection, bulks: Bulks) -> None:
    ending, going_on = (asyncio.create_task(bulks.write_together(orders(id_))) for id_ in (1, 2))
    await begun(ending, going_on)
    ending.cancel()
    await asyncio.wait([ending])
    collection.let_go()

    assert DONE == await going_on
    assert ending.cancelled()
