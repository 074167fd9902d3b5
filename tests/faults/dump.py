"""Everything that a round left on the servers, read into a history."""

import json
from collections.abc import Iterable
from typing import Any

from aiokafka import ConsumerRecord
from pymongo import AsyncMongoClient

from orderstream.settings import Settings
from tests.faults import brokers
from tests.faults.history import Found, History
from tests.faults.ledger import Ledger
from tests.worker import Worker, read


async def history(settings: Settings, ledger: Ledger, workers: Iterable[Worker], *, may_repeat: bool) -> History:
    """What was sent, and what came of it."""
    creates = await _found(settings, settings.topic_create)
    updates = await _found(settings, settings.topic_update)
    documents, waiting = await _documents(settings)
    return History(
        entries=ledger.entries,
        acknowledged=ledger.acknowledged,
        creates=creates,
        updates=updates,
        events=await _found(settings, settings.topic_status),
        rejections=await _found(settings, settings.topic_rejected),
        documents=documents,
        waiting=waiting,
        committed=await brokers.committed(settings),
        ends=_ends([*creates, *updates]),
        logs=[json.dumps(line, ensure_ascii=False) for worker in workers for line in worker.log],
        may_repeat=may_repeat,
    )


async def still_waiting(settings: Settings) -> int:
    """How many updates wait, or are decided and not yet forgotten."""
    async with _client(settings) as client:
        return await client[settings.mongo_database]["waiting"].count_documents({})


async def drop_database(settings: Settings) -> None:
    """Rounds come by the hundred."""
    async with _client(settings) as client:
        await client.drop_database(settings.mongo_database)


def _client(settings: Settings) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(settings.mongo_url.get_secret_value(), tz_aware=True)


async def _documents(settings: Settings) -> tuple[list[dict[str, Any]], int]:
    async with _client(settings) as client:
        database = client[settings.mongo_database]
        return await database["orders"].find().to_list(), await database["waiting"].count_documents({})


async def _found(settings: Settings, topic: str) -> list[Found]:
    return [_plain(record) for record in await read(settings, topic)]


def _plain(record: "ConsumerRecord[bytes, bytes]") -> Found:
    return Found(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )


def _ends(records: Iterable[Found]) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        partition = record.topic, record.partition
        ends[partition] = max(record.offset + 1, ends.get(partition, 0))
    return ends
