"""Guarded writes of orders in bulks; small ones of several lanes go together.

At rest batches are small and many, and a bulk of one order costs nearly as much as one of ten.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, TypeAlias

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, PyMongoError

from orderstream.answers import Write
from orderstream.documents import Document, encode
from orderstream.mongo_trouble import unavailable
from orderstream.ports import Written

Operation: TypeAlias = InsertOne[Any] | ReplaceOne[Any]

SMALL: Final = 20  # operations; whoever has more gains nothing by waiting for others
DUPLICATE_KEY: Final = 11000


class Bulks:
    """The bulks of one worker's lanes."""

    def __init__(self, orders: Any) -> None:  # noqa: ANN401  # a collection of either driver
        self._orders = orders
        self._parts: list[Sequence[Operation]] = []  # of the next bulk, one per lane
        self._next: asyncio.Task[list[Written]] | None = None
        self._under_way: asyncio.Task[list[Written]] | None = None

    async def write(self, operations: Sequence[Operation]) -> Written:
        """In a bulk of their own. Raises `UnavailableError`."""
        [written] = await self._write([operations])
        return written

    async def write_together(self, operations: Sequence[Operation]) -> Written:
        """In one bulk with what others bring while the last one is under way. Raises `UnavailableError`."""
        if len(operations) > SMALL:
            return await self.write(operations)
        self._parts.append(operations)
        place = len(self._parts) - 1
        self._next = self._next or asyncio.create_task(self._write_next())
        return (await asyncio.shield(self._next))[place]

    async def _write_next(self) -> list[Written]:
        if self._under_way:
            await asyncio.wait([self._under_way])
        parts, self._parts = self._parts, []
        self._under_way, self._next = self._next, None
        return await self._write(parts)

    async def _write(self, parts: Sequence[Sequence[Operation]]) -> list[Written]:
        """What became of each part; where one guard did not match nobody knows whose, so no part is done."""
        operations = [one for part in parts for one in part]
        taken: Mapping[int, tuple[str, ...]] = {}
        try:
            result = await self._orders.bulk_write(operations, ordered=False)
            stored = result.inserted_count + result.matched_count
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(one["code"] != DUPLICATE_KEY for one in failed):
                raise unavailable(error) from None
            taken = {one["index"]: tuple(taken_keys([one])) for one in failed}
            stored = error.details["nInserted"] + error.details["nMatched"]
        except PyMongoError as error:
            raise unavailable(error) from None
        matched = stored + len(taken) == len(operations)
        return [
            Written(
                done=matched and taken.keys().isdisjoint(range(begin, end)),
                taken=tuple(key for index in range(begin, end) for key in taken.get(index, ())),
            )
            for begin, end in pairwise(accumulate(map(len, parts), initial=0))
        ]


class _Encoded(RawBSONDocument):
    """Never empty; PyMongo asks, and would decode all of it to know."""

    def __bool__(self) -> bool:
        return True


def operation(write: Write) -> Operation:
    """An order's write, guarded by the version that was loaded. Raises `UnstorableError`."""
    document = _Encoded(encode(write.after))
    if write.before is None:
        return InsertOne(document)
    guard = {"_id": ObjectId(write.before.id), "ledger.version": write.before.ledger.version}
    return ReplaceOne(guard, document)


def taken_keys(failed: Iterable[Document]) -> Iterable[str]:
    """The lookup keys of other orders that stood in the way."""
    return (value for one in failed for name, value in one.get("keyValue", {}).items() if name == "lookup_keys")
