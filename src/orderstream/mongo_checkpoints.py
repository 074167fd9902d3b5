"""Checkpoints of the partitions, in the collection `worker` (interface 2)."""

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from orderstream.checkpoint import Checkpoint, topic_and_life
from orderstream.documents import Document
from orderstream.ledger import Partition
from orderstream.mongo_trouble import unavailable


class OvertakenError(Exception):
    """A partition has gone on without us: somebody else is further in it, or it was adopted anew."""


class MongoCheckpoints:
    """One document per partition and one per topic; every method raises `UnavailableError`."""

    def __init__(self, worker: Any) -> None:  # noqa: ANN401  # a collection of either driver
        self._worker = worker

    async def load(self, partitions: Collection[Partition]) -> Mapping[Partition, Checkpoint]:
        """Of those of the partitions that were read before; topics under their own names."""
        ids = [_partition_id(partition) for partition in partitions]
        return {(one["topic"], one["partition"]): _checkpoint(one) for one in await self._find(ids)}

    async def partition_counts(self, topics: Collection[str]) -> Mapping[str, int]:
        """How many partitions those of the topics had that were read before."""
        return {one["topic"]: one["partitions"] for one in await self._find([_topic_id(name) for name in topics])}

    async def reached(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """How far each of them is, or was in the life of its topic that its name says; 0 where nothing was read."""
        lives = {partition: topic_and_life(partition[0]) for partition in partitions}
        kept = await self.load([(topic, number) for (_, number), (topic, _) in lives.items()])
        found = {partition: kept.get((topic, partition[1])) for partition, (topic, _) in lives.items()}
        return {
            partition: checkpoint.reached(lives[partition][1]) if checkpoint else 0
            for partition, checkpoint in found.items()
        }

    async def adopt(self, checkpoints: Mapping[Partition, Checkpoint], counts: Mapping[str, int]) -> None:
        """Replace what was kept."""
        changes = [_set(_partition_id(p), _partition_members(p, one)) for p, one in checkpoints.items()]
        changes += [_set(_topic_id(name), {"topic": name, "partitions": count}) for name, count in counts.items()]
        await self._write(changes)

    async def begin(self, checkpoints: Mapping[Partition, Checkpoint], counts: Mapping[str, int]) -> None:
        """Keep what was not kept before."""
        changes = [_insert(_partition_id(p), _partition_members(p, one)) for p, one in checkpoints.items()]
        changes += [_insert(_topic_id(name), {"topic": name, "partitions": count}) for name, count in counts.items()]
        await self._write(changes)

    async def advance(self, offsets: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Keep these offsets, of topics as their positions name them. Raises `OvertakenError`."""
        changes = []
        for (name, number), offset in offsets.items():
            topic, life = topic_and_life(name)
            guard = {"_id": _partition_id((topic, number)), "life": life, "offset": {"$lte": offset}}
            changes.append(UpdateOne(guard, {"$set": {"offset": offset, "committed": committed[name, number]}}))
        if await self._write(changes) != len(changes):
            raise OvertakenError

    async def _find(self, ids: Collection[str]) -> list[Document]:
        try:
            found: list[Document] = await self._worker.find({"_id": {"$in": list(ids)}}).to_list(None)
        except PyMongoError as error:
            raise unavailable(error) from None
        return found

    async def _write(self, changes: list[UpdateOne]) -> int:
        """How many documents were there."""
        try:
            result = await self._worker.bulk_write(changes, ordered=False)
        except PyMongoError as error:
            raise unavailable(error) from None
        return int(result.matched_count)


def _partition_id(partition: Partition) -> str:
    return f"partition/{partition[0]}/{partition[1]}"


def _topic_id(name: str) -> str:
    return f"topic/{name}"


def _partition_members(partition: Partition, checkpoint: Checkpoint) -> Document:
    members = {**checkpoint._asdict(), "former": list(checkpoint.former)}
    return {"topic": partition[0], "partition": partition[1], **members}


def _checkpoint(document: Document) -> Checkpoint:
    members = {name: document[name] for name in Checkpoint._fields}
    return Checkpoint(**{**members, "former": tuple(document["former"])})


def _set(id_: str, members: Document) -> UpdateOne:
    return UpdateOne({"_id": id_}, {"$set": members}, upsert=True)


def _insert(id_: str, members: Document) -> UpdateOne:
    return UpdateOne({"_id": id_}, {"$setOnInsert": members}, upsert=True)
