"""The one place that knows MongoDB: orders loaded in one query, written in one guarded bulk (design 3)."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, IndexModel, InsertOne, ReplaceOne, ReturnDocument
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from orderstream.batch import Write
from orderstream.documents import CODEC, Document, UnstorableError, encode, to_order
from orderstream.order import Order
from orderstream.ports import Written
from orderstream.trouble import UnavailableError, UnfitError

Driver: TypeAlias = Literal["motor", "pymongo"]
Operation: TypeAlias = InsertOne[Any] | ReplaceOne[Any]

DUPLICATE_KEY: Final = 11000
DURABLE: Final = WriteConcern(w="majority", j=True, wtimeout=10_000)
INDEXES: Final = (
    IndexModel([("lookup_keys", 1)], unique=True),
    IndexModel([("customer.id", 1)]),
    IndexModel([("status.order", 1), ("updated_at", 1)]),
)
TIMEOUTS: Final = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 20_000,
    "maxPoolSize": 20,
}


class MongoOrders:
    """The collections of one database; every method raises `UnavailableError`."""

    def __init__(self, url: str, database: str, driver: Driver) -> None:
        client_class: Any = {"motor": AsyncIOMotorClient, "pymongo": AsyncMongoClient}[driver]
        self._client = client_class(url, retryWrites=True, retryReads=True, **TIMEOUTS)
        self._database = self._client.get_database(
            database, codec_options=CODEC, read_concern=ReadConcern("majority"), write_concern=DURABLE
        )
        self._orders = self._database["orders"]
        self._worker = self._database["worker"]

    async def load(self, keys: Collection[str], ids: Collection[str] = ()) -> list[Order]:
        """Every order that one of the lookup keys or document ids finds."""
        if not keys and not ids:
            return []
        found = {"$or": [{"lookup_keys": {"$in": list(keys)}}, {"_id": {"$in": [ObjectId(id_) for id_ in ids]}}]}
        try:
            return [to_order(document) for document in await self._orders.find(found).to_list(None)]
        except PyMongoError as error:
            raise UnavailableError("mongo", _short(error)) from None

    async def is_absent(self, key: str) -> bool:
        """Whether no order has this key, asked of the primary with a linearizable read."""
        orders = self._orders.with_options(read_concern=ReadConcern("linearizable"))
        try:
            return await orders.find_one({"lookup_keys": key}, {"_id": 1}, max_time_ms=5_000) is None
        except PyMongoError as error:
            raise UnavailableError("mongo", _short(error)) from None

    async def write(self, writes: Sequence[Write]) -> Written:
        """Store all orders, each guarded by itself."""
        operations: list[Operation] = []
        unstorable: list[str] = []
        for write in writes:
            try:
                operations.append(_operation(write))
            except UnstorableError:
                unstorable.append(write.after.id)
        if unstorable or not operations:
            return Written(done=not unstorable, unstorable=tuple(unstorable))
        return await self._write(operations)

    async def _write(self, operations: list[Operation]) -> Written:
        try:
            result = await self._orders.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(one["code"] != DUPLICATE_KEY for one in failed):
                raise UnavailableError("mongo", _short(error)) from None
            return Written(done=False, taken=tuple(_taken(failed)))
        except PyMongoError as error:
            raise UnavailableError("mongo", _short(error)) from None
        return Written(done=result.inserted_count + result.matched_count == len(operations))

    async def take_numbers(self, count: int) -> range:
        """As many int64 ids that nobody had before; a number lost in a crash is a gap."""
        try:
            counter = await self._worker.find_one_and_update(
                {"_id": "numbers"}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise UnavailableError("mongo", _short(error)) from None
        return range(counter["last"] - count + 1, counter["last"] + 1)

    async def prepare(self, group: str) -> None:
        """Make missing indexes and claim the database for this consumer group.

        Raises `UnfitError` when this is no replica set or another group's database.
        """
        try:
            hello = await self._client.admin.command("hello")
            if "setName" not in hello:
                raise UnfitError("MongoDB is no replica set; start mongod with --replSet and run rs.initiate()")
            await self._orders.create_indexes(list(INDEXES))
            claim = await self._worker.find_one_and_update(
                {"_id": "stream"}, {"$setOnInsert": {"group": group}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise UnavailableError("mongo", _short(error)) from None
        if claim["group"] != group:
            raise UnfitError(
                f"database {self._database.name} belongs to consumer group {claim['group']!r}, not {group!r}; "
                "use another ORDERSTREAM_MONGO_DATABASE for another group"
            )

    async def close(self) -> None:
        """Let go of all connections."""
        closed = self._client.close()
        if closed is not None:  # motor closes at once, PyMongo when awaited
            await closed


def _operation(write: Write) -> Operation:
    document = RawBSONDocument(encode(write.after))
    if write.before is None:
        return InsertOne(document)
    guard = {"_id": ObjectId(write.before.id), "ledger.version": write.before.ledger.version}
    return ReplaceOne(guard, document)


def _taken(failed: Iterable[Document]) -> Iterable[str]:
    return (value for one in failed for name, value in one.get("keyValue", {}).items() if name == "lookup_keys")


def _short(error: PyMongoError) -> str:
    """The kind of error without its text: that may hold documents, addresses and credentials."""
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" ({code})" if code else "")
