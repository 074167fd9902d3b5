"""What lanes write behind their fences: orders and updates that waited, in one transaction (design 3)."""

from collections.abc import Sequence
from inspect import isawaitable
from typing import Any, Final

from pymongo import DeleteOne, ReplaceOne, ReturnDocument
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from orderstream.mongo_bulk import Operation, taken_keys
from orderstream.mongo_trouble import unavailable
from orderstream.order import Position
from orderstream.parking import Changes, Waiting
from orderstream.ports import Fence, FencedError, Written
from orderstream.waiting_documents import to_waiting_document

DURABLE: Final = WriteConcern(w="majority", j=True, wtimeout=10_000)


class MongoFences:
    """The epochs of lanes, in the collection `worker`; every method raises `UnavailableError`."""

    def __init__(self, client: Any, orders: Any, worker: Any, waiting: Any) -> None:  # noqa: ANN401  # of either driver
        self._client, self._orders, self._worker, self._waiting = client, orders, worker, waiting
        self._sessions: dict[int, Any] = {}  # by lane; a new transaction of a session ends the one left open in it

    async def raise_epoch(self, lane: int) -> int:
        """Shut out every earlier owner of this lane's waiting updates.

        A transaction that he has left open, dead or cut off, would hold the lane's document for a minute: it is ended.
        """
        this = {"_id": f"lane/{lane}"}
        try:
            session = await self._fresh_session(lane)
            last = await self._worker.find_one(this)
            if last and "session" in last:
                await self._client.admin.command("killSessions", [last["session"]])
            raised = await self._worker.find_one_and_update(
                this,
                {"$inc": {"epoch": 1}, "$set": {"session": session.session_id}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except PyMongoError as error:
            raise unavailable(error) from None
        return int(raised["epoch"])

    async def epoch_of(self, lane: int) -> int:
        """The epoch as it is now."""
        try:
            found = await self._worker.find_one({"_id": f"lane/{lane}"})
        except PyMongoError as error:
            raise unavailable(error) from None
        return int(found["epoch"]) if found else 0

    async def write(self, fence: Fence, operations: Sequence[Operation], waits: Changes) -> Written:
        """Orders and what becomes of updates that waited, all or nothing; raises `FencedError`."""
        try:
            session = self._sessions.get(fence.lane) or await self._fresh_session(fence.lane)
            async with await awaited(session.start_transaction(ReadConcern("majority"), DURABLE)):
                await self._write_in(session, fence, operations, waits)
        except _NotDoneError as error:
            return Written(done=False, taken=error.taken)
        except PyMongoError as error:
            raise unavailable(error) from None
        return Written(done=True)

    async def _fresh_session(self, lane: int) -> Any:  # noqa: ANN401  # of either driver
        if lane in self._sessions:
            await self._sessions.pop(lane).end_session()
        session = self._sessions[lane] = await awaited(self._client.start_session())
        return session

    async def _write_in(
        self,
        session: Any,  # noqa: ANN401  # of either driver
        fence: Fence,
        operations: Sequence[Operation],
        waits: Changes,
    ) -> None:
        """The body of the transaction; the epoch's document is changed, since reading it would not conflict."""
        guard = {"_id": f"lane/{fence.lane}", "epoch": fence.epoch}
        if not (await self._worker.update_one(guard, {"$inc": {"writes": 1}}, session=session)).matched_count:
            raise FencedError
        if operations:
            try:
                result = await self._orders.bulk_write(operations, session=session)
            except BulkWriteError as error:
                raise _NotDoneError(tuple(taken_keys(error.details["writeErrors"]))) from None
            if result.inserted_count + result.matched_count != len(operations):
                raise _NotDoneError(())
        if waits:
            await self._waiting.bulk_write([_operation(at, one) for at, one in waits.items()], session=session)


class _NotDoneError(Exception):
    """An order was not as it was loaded; the transaction ends without effect."""

    def __init__(self, taken: tuple[str, ...]) -> None:
        super().__init__()
        self.taken = taken


async def awaited(value: Any) -> Any:  # noqa: ANN401
    """What one driver gives at once the other gives when awaited."""
    return await value if isawaitable(value) else value


def _operation(position: Position, waiting: Waiting | None) -> ReplaceOne[Any] | DeleteOne:
    by_id = {"_id": str(position)}
    return DeleteOne(by_id) if waiting is None else ReplaceOne(by_id, to_waiting_document(waiting), upsert=True)
