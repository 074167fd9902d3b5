"""A round without servers: the worker's core decides message by message, and a history is made of what it answers."""

from datetime import timedelta
from typing import Any

from bson import decode, encode

from orderstream.commands import Kind, Record
from orderstream.documents import to_document
from orderstream.order import Order, Position
from orderstream.rejected import rejected_message
from orderstream.status_event import event_of
from tests.builders import NOW, READERS_CODEC, Given, Then
from tests.faults.history import Found, History
from tests.faults.ledger import Entry
from tests.faults.load import Load

PARTITION = 0
BROKER_LIMIT = 1_000_000


def round_in_memory(seed: int, messages: int) -> History:
    """What so many messages of a load leave behind when nothing goes wrong."""
    load, world = Load(seed, early=0.0), _World()  # each message is decided before the next one comes
    for _ in range(messages):
        for event in world.take(load.next()):
            load.learn(event)
    return world.history()


class _World:
    def __init__(self) -> None:
        self._given = Given()
        self._entries: dict[str, Entry] = {}
        self._acknowledged: dict[str, str] = {}
        self._inputs: dict[Kind, list[Found]] = {Kind.CREATE: [], Kind.UPDATE: []}
        self._events: list[Found] = []
        self._rejections: list[Found] = []

    def take(self, entry: Entry) -> list[dict[str, Any]]:
        """Decide a message; gives its events."""
        kind = Kind(f"order-{entry.message.topic}")
        record = Record(
            kind=kind,
            position=Position(kind.value, PARTITION, 0),
            at=NOW + timedelta(milliseconds=len(self._entries)),
            key=entry.message.key,
            value=entry.message.value,
            headers=entry.message.headers,
        )
        then = self._given.when(record)
        self._write_down(entry, kind, then.answer.record)
        self._answer(then)
        return then.events

    def _write_down(self, entry: Entry, kind: Kind, record: Record) -> None:
        self._entries[entry.id] = entry
        self._acknowledged[entry.id] = str(record.position)
        self._inputs[kind].append(_found(record))

    def _answer(self, then: Then) -> None:
        if then.answer.verdict == "rejected":
            answer = then.answer
            told = rejected_message(answer.record, answer.problems, answer.problem_count, NOW, BROKER_LIMIT)
            self._rejections.append(
                Found("rejected", PARTITION, len(self._rejections), 0, told.key, told.value, told.headers)
            )
        for event in then.events:
            self._events.append(_event(then.order, event["data"]["sequence"], len(self._events)))

    def history(self) -> History:
        """Everything, as it would be read from the servers."""
        documents: list[dict[str, Any]] = [
            decode(encode(to_document(order)), READERS_CODEC) for order in self._given.orders.values()
        ]
        ends = {(kind.value, PARTITION): records[-1].offset + 1 for kind, records in self._inputs.items()}
        return History(
            entries=self._entries,
            acknowledged=self._acknowledged,
            creates=self._inputs[Kind.CREATE],
            updates=self._inputs[Kind.UPDATE],
            events=self._events,
            rejections=self._rejections,
            documents=documents,
            committed=ends,
            ends=ends,
            may_repeat=False,
        )


def _found(record: Record) -> Found:
    topic, partition, offset = record.position
    return Found(topic, partition, offset, int(record.at.timestamp() * 1000), record.key, record.value, record.headers)


def _event(order: Order, sequence: int, offset: int) -> Found:
    event = event_of(order, sequence)
    return Found("status", PARTITION, offset, 0, event.order_id.encode(), event.value, event.headers)
