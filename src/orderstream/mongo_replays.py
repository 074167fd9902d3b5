"""Notes of replays, in the collection `worker`: claimed, sent, and noted as sent (interface 2)."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, PyMongoError

from orderstream.documents import Document, in_utc
from orderstream.mongo_trouble import unavailable
from orderstream.order import Position
from orderstream.replays import Note

DUPLICATE_KEY: Final = 11000
CLAIM: Final = timedelta(seconds=60)  # longer than a group of messages takes to be acknowledged


class MongoReplays:
    """One document per rejected message that was sent again; every method raises `UnavailableError`."""

    def __init__(self, worker: Any) -> None:  # noqa: ANN401  # a collection of either driver
        self._worker = worker

    async def load(self, ids: Collection[Position]) -> Mapping[Position, Note]:
        """Of those of the rejected messages that were sent again, or were about to be."""
        return {note.id: note for note in map(_note, await self._find({"_id": {"$in": [_id(id_) for id_ in ids]}}))}

    async def claim(self, notes: Collection[Note], token: str) -> set[Position]:
        """Keep those that nobody else has sent, or claimed just before; *token* tells this claim from any other."""
        changes = [
            UpdateOne(
                {"_id": _id(note.id), "position": None, "at": {"$lte": note.at - CLAIM}},
                {"$set": {**_members(note), "token": token}},
                upsert=True,  # of one that somebody else holds it fails, since the document is there
            )
            for note in notes
        ]
        try:
            await self._worker.bulk_write(changes, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise unavailable(error) from None
        except PyMongoError as error:
            raise unavailable(error) from None
        held = await self._find({"_id": {"$in": [_id(note.id) for note in notes]}, "token": token})
        return {_note(document).id for document in held}

    async def acknowledge(self, sent: Mapping[Position, Position]) -> None:
        """Note where the messages stand that replay these rejected ones."""
        changes = [UpdateOne({"_id": _id(id_)}, {"$set": {"position": str(to)}}) for id_, to in sent.items()]
        try:
            if changes:
                await self._worker.bulk_write(changes, ordered=False)
        except PyMongoError as error:
            raise unavailable(error) from None

    async def _find(self, wanted: Document) -> list[Document]:
        try:
            found: list[Document] = await self._worker.find(wanted).to_list(None)
        except PyMongoError as error:
            raise unavailable(error) from None
        return found


def _id(position: Position) -> str:
    return f"replay/{position}"


def _members(note: Note) -> Document:
    return {
        "rejected_at": note.rejected_at,
        "attempt": note.attempt,
        "who": note.who,
        "at": note.at,
    }


def _note(document: Document) -> Note:
    position = document["position"]
    return Note(
        id=Position.parse(document["_id"].removeprefix("replay/")),
        rejected_at=in_utc(document["rejected_at"]),
        attempt=document["attempt"],
        who=document["who"],
        at=in_utc(document["at"]),
        position=None if position is None else Position.parse(position),
    )
