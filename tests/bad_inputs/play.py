"""Bad inputs decided in memory, and played on real servers between good messages of their own partitions."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

import bson
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import RecordMetadata
from pymongo import AsyncMongoClient

from orderstream.answers import Answer, Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Kind, Record
from orderstream.decode import Contracts, decode
from orderstream.documents import CODEC, UnstorableError, encode, to_order
from orderstream.kafka import EPOCH, LATEST_MS
from orderstream.ledger import Progress
from orderstream.order import Order, Position
from orderstream.settings import Settings
from tests.bad_inputs.cases import TENANT, Case, Input, an_update, create
from tests.builders import NOW, found_by
from tests.worker import documents, read

Delivered: TypeAlias = "ConsumerRecord[bytes, bytes]"

PARTITIONS: Final = 4  # that bad inputs share


def record_of(sent: Input, offset: int = 0) -> Record:
    """As Kafka would deliver it."""
    kind = Kind.CREATE if sent.topic == "create" else Kind.UPDATE
    return Record(kind, Position(kind.value, 0, offset), _time(sent.at), sent.key, sent.value, sent.headers)


def _time(at: int | None) -> datetime:
    return NOW if at is None else EPOCH + timedelta(milliseconds=min(max(at, 0), LATEST_MS))


def base_of(case: Case) -> Iterable[Input]:
    """The order that the updates of a case are about."""
    if any(sent.topic == "update" for sent in case.inputs):
        line = {"id": f"line of {case.name}", "entryRef": "1"}
        yield from create({"orderRef": case.name, "orderLines": [line]})(case.name)


class Memory:
    """Orders as bytes; messages decided one by one."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self._offset = 0

    def send(self, sent: Input) -> Answer:
        """Decide one message, and keep what becomes of its order."""
        self._offset += 1
        record = record_of(sent, self._offset)
        item = Item(record, decode(record, Contracts()))
        try:
            answer, encoded = self._decided(item, frozenset())
        except UnstorableError:
            answer, encoded = self._decided(item, frozenset({record.position}))
        self.stored |= encoded
        return answer

    def _decided(self, item: Item, unstorable: frozenset[Position]) -> tuple[Answer, dict[str, bytes]]:
        orders = [decoded(document) for document in self.stored.values()]
        here = {item.record.position[:2]: self._offset}
        about = Circumstances(
            numbers={item.record.position: 7 + self._offset}, progress=Progress(here, here), unstorable=unstorable
        )
        decided: Decided = decide([item], found_by([item], orders), about)
        (answer,) = decided.answers
        return answer, {write.after.id: encode(write.after) for write in decided.writes}


def decoded(document: bytes) -> Order:
    """An order as MongoDB gives it back."""
    return to_order(bson.decode(document, CODEC))


# On real servers


class Played(NamedTuple):
    """What the worker left behind; positions are `topic/partition/offset`."""

    positions: Mapping[tuple[str, int], str]  # of inputs, by case and number
    orders: Mapping[str, Mapping[str, Any]]  # documents, by the position of their create
    by_ref: Mapping[str, Mapping[str, Any]]  # of the tenant of most cases
    decisions: Mapping[str, str]  # outcomes in the ledgers, by position
    waiting: frozenset[str]  # positions
    events: Mapping[str, Sequence[Delivered]]  # by the position of their cause
    rejected: Mapping[str, Sequence[Delivered]]  # by the position of the original
    log: Sequence[Mapping[str, Any]]


async def prepare(settings: Settings) -> None:
    """By default the broker refuses records of tomorrow, and drops those of last week."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    any_time = {"message.timestamp.after.max.ms": str(2**63 - 1), "retention.ms": "-1"}
    topics = (settings.topic_create, settings.topic_update)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, any_time) for topic in topics])
    finally:
        await admin.close()


async def send_all(settings: Settings, topic: str, cases: Collection[Case]) -> dict[tuple[str, int], str]:
    """One compressed batch for each case, its neighbours in it."""
    name = settings.topic_create if topic == "create" else settings.topic_update
    futures: dict[str, asyncio.Future[RecordMetadata]] = {}
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, compression_type="lz4", max_batch_size=2**25, acks="all"
    ) as producer:
        for number, case in enumerate(cases):
            batch = producer.create_batch()
            for sent in in_order(case, topic):
                batch.append(timestamp=sent.at, key=sent.key, value=sent.value, headers=list(sent.headers))
            if batch.record_count():
                futures[case.name] = await producer.send_batch(batch, name, partition=number % PARTITIONS)
        written = {case: await future for case, future in futures.items()}
    return {
        (case.name, number): f"{name}/{written[case.name].partition}/{written[case.name].offset + place}"
        for case in cases
        for place, number in enumerate(_numbers(case, topic))
        if number is not None
    }


def in_order(case: Case, topic: str) -> list[Input]:
    """What a case sends to a topic: the order that its updates are about, a good message, the bad ones, a good one."""
    mine = [sent for sent in case.inputs if sent.topic == topic]
    if topic == "create":
        first, last = (create({})(f"{case.name} {when}")[0] for when in ("before", "after"))
        return [*base_of(case), first, *mine, last]
    return [good_update(case, "cancelReason"), *mine, good_update(case, "returnReason")] if mine else []


def _numbers(case: Case, topic: str) -> list[int | None]:
    """Which input of the case each of these is."""
    numbers = {id(sent): number for number, sent in enumerate(case.inputs)}
    return [numbers.get(id(sent)) for sent in in_order(case, topic)]


def good_update(case: Case, member: str) -> Input:
    """Of the order that the updates of a case are about."""
    return an_update(case.name, "order.patch", {member: "good"}, "applied")


async def played(
    settings: Settings, positions: Mapping[tuple[str, int], str], log: Sequence[Mapping[str, Any]]
) -> Played:
    """What is there now."""
    orders = await documents(settings)
    return Played(
        positions=positions,
        orders={order["history"][0]["cause"]: order for order in orders},
        by_ref={order["refs"].get("order_ref", ""): order for order in orders if order["tenant"] == TENANT},
        decisions={one["position"]: one["outcome"] for order in orders for one in order["ledger"]["decisions"]},
        waiting=await _waiting(settings),
        events=_by(await read(settings, settings.topic_status), lambda event: json.loads(event.value)["data"]["cause"]),
        rejected=_by(
            await read(settings, settings.topic_rejected), lambda record: dict(record.headers)["rejection-id"].decode()
        ),
        log=log,
    )


async def _waiting(settings: Settings) -> frozenset[str]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    try:
        return frozenset([waits["_id"] async for waits in client[settings.mongo_database]["waiting"].find()])
    finally:
        await client.close()


def _by(records: Iterable[Delivered], position: Callable[[Delivered], str]) -> Mapping[str, Sequence[Delivered]]:
    found: dict[str, list[Delivered]] = {}
    for record in records:
        found.setdefault(position(record), []).append(record)
    return found
