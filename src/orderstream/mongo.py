"""The one place that knows MongoDB: orders loaded in one query, written in one guarded bulk (design 3)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from re import Pattern
from typing import Any, Final, Literal, TypeAlias

import bson
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, IndexModel, ReturnDocument
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from orderstream.answers import Write
from orderstream.documents import CODEC, Document, UnstorableError, to_order
from orderstream.mongo_bulk import Bulks, Operation, operation
from orderstream.mongo_checkpoints import MongoCheckpoints
from orderstream.mongo_fences import DURABLE, MongoFences, awaited
from orderstream.mongo_replays import MongoReplays
from orderstream.mongo_rights import check_rights
from orderstream.mongo_trouble import unavailable
from orderstream.order import Order
from orderstream.parking import Changes
from orderstream.ports import Fence, TooLargeError, WaitingRecord, Written
from orderstream.rules_file import PREFIX, SettingError
from orderstream.trouble import UnavailableError, UnfitError
from orderstream.waiting_documents import to_waiting_record

Driver: TypeAlias = Literal["motor", "pymongo"]

PING_SECONDS: Final = 2.0
SHARED_REFS: Final = ("refs.cart_id", "refs.platform.id")  # people look orders up by them; several may have the same
INDEXES: Final = (
    IndexModel([("lookup_keys", 1)], unique=True),
    IndexModel([("customer.id", 1)]),
    IndexModel([("status.order", 1), ("updated_at", 1)]),
    *(IndexModel([(member, 1)], sparse=True) for member in SHARED_REFS),
)
FOUND: Final = 20  # orders that share an id
LOADED: Final = 1_000  # orders in one answer, if they have no more than its 16 MiB
ASKED: Final = 10_000  # lookup keys in one query: each may have half a kilobyte
TIMEOUTS: Final = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 12_000,
    "maxPoolSize": 20,
}


class MongoOrders:
    """The collections of one database; every method raises `UnavailableError`, making one `SettingError`."""

    def __init__(self, url: str, database: str, driver: Driver) -> None:
        client_class: Any = {"motor": AsyncIOMotorClient, "pymongo": AsyncMongoClient}[driver]
        try:
            self._client = client_class(url, retryWrites=True, retryReads=True, **TIMEOUTS)
        except (PyMongoError, ValueError, OSError):  # their texts may hold credentials
            message = "must be a MongoDB URL, user and password percent-encoded, its files there"
            raise SettingError(f"{PREFIX}MONGO_URL: {message}") from None
        self._database = self._client.get_database(
            database, codec_options=CODEC, read_concern=ReadConcern("majority"), write_concern=DURABLE
        )
        self._orders = self._database["orders"]
        self._bulks = Bulks(self._orders)
        self._worker = self._database["worker"]
        self._waiting = self._database["waiting"]
        self._fences = MongoFences(self._client, self._orders, self._worker, self._waiting)
        self.checkpoints = MongoCheckpoints(self._worker)
        self.replays = MongoReplays(self._worker)

    async def load(self, keys: Collection[str], ids: Collection[str] = (), most: int | None = None) -> list[Order]:
        """Every order that one of the lookup keys or document ids finds.

        Raises `TooLargeError` when they have more than *most* bytes.
        """
        if not keys and not ids:
            return []
        found: dict[ObjectId, Document] = {}
        size = 0
        try:
            for filter_ in _filters(list(keys), ids):
                async for some in self._orders.find_raw_batches(filter_, batch_size=LOADED):
                    size += len(some)
                    if most is not None and size > most:
                        raise TooLargeError
                    found |= {document["_id"]: document for document in bson.decode_all(some, CODEC)}
        except PyMongoError as error:
            raise unavailable(error) from None
        return [to_order(document) for document in found.values()]

    async def load_shared(self, ref: str) -> list[Order]:
        """Some orders that have this id of a cart or of a platform's order, which several may share."""
        found = self._orders.find({"$or": [{member: ref} for member in SHARED_REFS]}).limit(FOUND)
        try:
            return [to_order(document) for document in await found.to_list(None)]
        except PyMongoError as error:
            raise unavailable(error) from None

    async def scopes(self, dialect: str | None) -> AsyncIterator[str]:
        """Every `dialect/tenant` in which there are orders, by one short read of the index each."""
        last = prefix = f"{dialect}/" if dialect else ""
        try:
            # Without a sort: that would be by the least of all keys of an order, this is by the least above *last*.
            while order := await self._orders.find_one(
                {"lookup_keys": {"$gt": last}}, {"lookup_keys": 1}, hint="lookup_keys_1"
            ):
                first = min(key for key in order["lookup_keys"] if key > last)
                if not first.startswith(prefix):
                    return
                scope = "/".join(first.split("/", 2)[:2])
                yield scope
                last = f"{scope}0"  # "0" comes next after "/"
        except PyMongoError as error:
            raise unavailable(error) from None

    async def are_absent(self, keys: Sequence[str]) -> bool:
        """Whether no order has any of these keys, beyond doubt.

        A linearizable read, which no primary of yesterday can answer, is of one key; what is read next in its session
        is not older.
        """
        linearizable = self._orders.with_options(read_concern=ReadConcern("linearizable"))
        try:
            async with await awaited(self._client.start_session(causal_consistency=True)) as session:
                for orders, some in ((linearizable, keys[:1]), (self._orders, keys[1:])):
                    found = {"lookup_keys": {"$in": list(some)}}
                    if some and await orders.find_one(found, {"_id": 1}, session=session, max_time_ms=5_000):
                        return False
        except PyMongoError as error:
            raise unavailable(error) from None
        return True

    async def write(self, writes: Sequence[Write], *, alone: bool = False) -> Written:
        """Store all orders, each guarded by itself."""
        operations, unstorable = _operations(writes)
        if unstorable or not operations:
            return Written(done=not unstorable, unstorable=unstorable)
        return await (self._bulks.write if alone else self._bulks.write_together)(operations)

    async def take_numbers(self, count: int) -> range:
        """As many int64 ids that nobody had before; a number lost in a crash is a gap."""
        try:
            counter = await self._worker.find_one_and_update(
                {"_id": "numbers"}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise unavailable(error) from None
        return range(counter["last"] - count + 1, counter["last"] + 1)

    async def raise_epoch(self, lane: int) -> int:
        """Shut out every earlier owner of this lane's waiting updates."""
        return await self._fences.raise_epoch(lane)

    async def epoch_of(self, lane: int) -> int:
        """The epoch as it is now."""
        return await self._fences.epoch_of(lane)

    async def write_fenced(self, fence: Fence, writes: Sequence[Write], waits: Changes) -> Written:
        """Orders and what becomes of updates that waited, all in one transaction; raises `FencedError`."""
        operations, unstorable = _operations(writes)
        if unstorable:
            return Written(done=False, unstorable=unstorable)
        return await self._fences.write(fence, operations, waits)

    async def waiting(self, lane: int) -> list[WaitingRecord]:
        """The lane's updates that wait, and its marks, in the order of their offsets."""
        try:
            found = [to_waiting_record(document) for document in await self._waiting.find({"lane": lane}).to_list(None)]
        except PyMongoError as error:
            raise unavailable(error) from None
        return sorted(found, key=lambda waiting: waiting.record.position)

    async def waiting_for(self, keys: Collection[str | Pattern[str]], order_id: str | None) -> list[WaitingRecord]:
        """Updates that wait for one of these addresses or stand at one of these positions, and marks of this order or
        of none: they keep no address."""
        marks = {"mark": {"$ne": None}, "mark.order_id": {"$in": [order_id, None]}}
        found = {"$or": [{"addresses": {"$in": list(keys)}}, {"_id": {"$in": list(keys)}, "mark": None}, marks]}
        try:
            return [to_waiting_record(document) for document in await self._waiting.find(found).to_list(None)]
        except PyMongoError as error:
            raise unavailable(error) from None

    async def prepare(self, group: str) -> None:
        """Make missing indexes and claim the database for this consumer group.

        Raises `UnfitError` when this is no replica set or another group's database.
        """
        try:
            hello = await self._client.admin.command("hello")
            if "setName" not in hello:
                raise UnfitError("MongoDB is no replica set; start mongod with --replSet and run rs.initiate()")
            await check_rights(self._client.admin, self._database.name)
            await self._orders.create_indexes(list(INDEXES))
            await self._waiting.create_indexes([IndexModel([("lane", 1)])])
            claim = await self._worker.find_one_and_update(
                {"_id": "stream"}, {"$setOnInsert": {"group": group}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise unavailable(error) from None
        if claim["group"] != group:
            raise UnfitError(
                f"database {self._database.name} belongs to consumer group {claim['group']!r}, not {group!r}; "
                "use another ORDERSTREAM_MONGO_DATABASE for another group"
            )

    async def ping(self) -> None:
        """Ask the primary for a sign of life, with a short deadline."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._client.admin.command("ping")
        except (PyMongoError, TimeoutError) as error:
            raise UnavailableError("mongo", self._why_silent(error)) from None

    def _why_silent(self, error: Exception) -> str:
        """In words, as the driver sees the replica set."""
        seen = self._client.topology_description
        if not any(server.is_server_type_known for server in seen.server_descriptions().values()):
            return "cannot be reached"
        if not seen.has_writable_server():
            return "has no primary"
        if isinstance(error, PyMongoError):
            return unavailable(error).reason
        return f"has not answered within {PING_SECONDS:.0f} s"

    async def close(self) -> None:
        """Let go of all connections."""
        closed = self._client.close()
        if closed is not None:  # motor closes at once, PyMongo when awaited
            await closed


def _filters(keys: Sequence[str], ids: Iterable[str]) -> Iterator[Document]:
    """Of the queries that find the orders: one for a usual batch, but no command may have more than 16 MiB."""
    first, *rest = (keys[begin : begin + ASKED] for begin in range(0, max(1, len(keys)), ASKED))
    yield {"$or": [{"lookup_keys": {"$in": first}}, {"_id": {"$in": [ObjectId(id_) for id_ in ids]}}]}
    yield from ({"lookup_keys": {"$in": some}} for some in rest)


def _operations(writes: Iterable[Write]) -> tuple[list[Operation], tuple[str, ...]]:
    """What to write, and the orders that no document can hold."""
    operations: list[Operation] = []
    unstorable: list[str] = []
    for write in writes:
        try:
            operations.append(operation(write))
        except UnstorableError:
            unstorable.append(write.after.id)
    return operations, tuple(unstorable)
