"""Builders of messages: a sample file or a dialect's example as the record that Kafka would deliver."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bson.codec_options import CodecOptions

from orderstream.answers import Answer, Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Kind, Record
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.identity import document_id
from orderstream.json_text import JsonObject
from orderstream.ledger import Progress
from orderstream.order import Order, Position
from orderstream.outcomes import Refusal
from orderstream.parking import Waiting
from orderstream.problems import Problem

HERE = Path(__file__).parent
READERS_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)  # not the worker's own
NOW = datetime(2026, 11, 21, 10, 15, 30, 123000, tzinfo=UTC)


def a_record(
    *,
    value: JsonObject | bytes | None,
    headers: Mapping[str, str],
    key: str | None = "key-1",
    offset: int = 0,
    partition: int = 0,
    at: datetime = NOW,
    **changed: str | None,
) -> Record:
    """A record; *changed* headers are put over the given ones, underscores for hyphens, None takes one away."""
    texts = {**headers, **{name.replace("_", "-"): text for name, text in changed.items()}}
    kind = Kind.UPDATE if texts.get("message-type") == Kind.UPDATE else Kind.CREATE
    return Record(
        kind=kind,
        position=Position(kind.value, partition, offset),
        at=at,
        key=None if key is None else key.encode(),
        value=json.dumps(value).encode() if isinstance(value, dict) else value,
        headers=tuple((name, text.encode()) for name, text in texts.items() if text is not None),
    )


def samples(dialect: str = "*") -> list[Path]:
    """The sample files of a dialect, or of all."""
    return sorted((HERE / "samples").glob(f"{dialect}/*.json"))


def a_sample(name: str, **changed: str | None) -> Record:
    """The record of a sample file, named `dialect/file` without `.json`."""
    message = json.loads((HERE / "samples" / f"{name}.json").read_text())
    return a_record(value=message["value"], headers=message["headers"], key=message["key"], **changed)  # type: ignore[arg-type]


def an_example(dialect: str, number: int = 0, **changed: str | None) -> Record:
    """One of a dialect's examples; the first is a create."""
    example = DIALECTS[dialect].examples[number]
    return a_record(value=example.value, headers=example.headers, key=example.key, **changed)  # type: ignore[arg-type]


def a_create(dialect: str, members: JsonObject | None = None, at: datetime = NOW, /, **headers: str | None) -> Record:
    """The dialect's first example with *members* put over its value, and *headers* over its headers."""
    example = DIALECTS[dialect].examples[0]
    value = {**example.value, **(members or {})}
    return a_record(value=value, headers=example.headers, key=example.key, at=at, **headers)  # type: ignore[arg-type]


def an_update(
    order: Order, operation: str, members: JsonObject | None = None, at: datetime = NOW, /, **headers: str | None
) -> Record:
    """An update that names *order* by the id which it was given, unless *headers* say otherwise."""
    tenant = "site-account" if order.dialect == "subscription" else "tenant"
    sent = {"dialect": order.dialect, "message-type": "order-update", "operation": operation}
    scope = {tenant: order.tenant} if order.tenant is not None else {}
    named = {**sent, **scope, "order-id": str(order.refs["order_id"])}
    return a_record(value=members or {}, headers=named, key=order.record_key, at=at, **headers)  # type: ignore[arg-type]


def a_message(operation: str, value: JsonObject, offset: int = 0, /, **headers: str | None) -> Record:
    """A message of the dialect wishlist, where every operation exists."""
    kind = "order-create" if operation == "order.create" else "order-update"
    said = {"dialect": "wishlist", "message-type": kind, "tenant": "acme", "operation": operation}
    return a_record(value=value, headers=said, key="k", offset=offset, **headers)  # type: ignore[arg-type]


def problems(refused: object) -> list[tuple[str, str]]:
    """Code and path of everything that is wrong with a message that must be refused."""
    assert isinstance(refused, Refusal), refused
    return pairs(refused.problems)


def pairs(found: Iterable[Problem]) -> list[tuple[str, str]]:
    """Code and path of problems."""
    return [(problem.code.value, problem.path) for problem in found]


class Then(NamedTuple):
    """What came of a message: the answer, the order that took the decision, the events it made."""

    answer: Answer
    stored: Order | None
    events: list[dict[str, Any]]

    @property
    def order(self) -> Order:
        """The order as it stands now."""
        assert self.stored is not None, self.answer
        return self.stored

    @property
    def outcome(self) -> tuple[str, list[tuple[str, str]]]:
        """The verdict, and for a rejection the code and path of each problem."""
        return self.answer.verdict, pairs(self.answer.problems)


class Given:
    """Orders as messages left them. Each message is decided and at once replayed: the second time nothing changes."""

    def __init__(self, *records: Record, contracts: Contracts | None = None) -> None:
        self.orders: dict[str, Order] = {}
        self.waiting: dict[Position, Waiting] = {}
        self.contracts = contracts or Contracts()
        self._next: Counter[tuple[str, int]] = Counter()
        for record in records:
            self.when(record)

    @property
    def order(self) -> Order:
        """The only order."""
        (order,) = self.orders.values()
        return order

    def when(self, record: Record) -> Then:
        """Decide the record, at the next offset of its topic; keep what it does; see that a replay does nothing."""
        record = self._placed(record)
        decided = self.decided(record)
        self._keep(decided)
        assert _again(decided) == self.decided(record)
        (answer,) = decided.answers
        return Then(answer, self.orders.get(answer.order_id or ""), [json.loads(e.value) for e in decided.events])

    def _keep(self, decided: Decided) -> None:
        self.orders |= {write.after.id: write.after for write in decided.writes}
        for changes in (decided.waits, *(write.waits for write in decided.writes)):
            self.waiting |= {position: waiting for position, waiting in changes.items() if waiting}

    def _placed(self, record: Record) -> Record:
        topic, partition, _ = record.position
        self._next[topic, partition] += 1
        return record._replace(position=Position(topic, partition, self._next[topic, partition]))

    def decided(self, record: Record) -> Decided:
        """What would be decided on this record, as it stands."""
        item = Item(record, decode(record, self.contracts))
        numbers = {record.position: 100_000 + record.position.offset}
        done = {partition: last + 1 for partition, last in self._next.items()} | {
            record.position[:2]: record.position.offset
        }
        about = Circumstances(
            rules=self.contracts.rules, numbers=numbers, progress=Progress(done, done), waiting=self.waiting
        )
        return decide([item], found_by([item], self.orders.values()), about)


def _again(decided: Decided) -> Decided:
    """What a redelivery must find: the stored decisions, the same events without their traces, nothing to write."""
    answers = tuple(
        answer._replace(repeated=answer.order_id is not None or answer.verdict == "parked")
        for answer in decided.answers
    )
    events = tuple(
        event._replace(headers=tuple(one for one in event.headers if one[0] != "traceparent"), again="redelivery")
        for event in decided.events
    )
    return decided._replace(answers=answers, writes=(), events=events, waits={})


def found_by(items: Sequence[Item], orders: Iterable[Order]) -> list[Order]:
    """The orders that a store would find by the addresses of these messages."""
    commands = [item.judged for item in items if not isinstance(item.judged, Refusal)]
    keys = {key for command in commands for key in (*command.keys, *command.brought)}
    ids = {document_id(command.at, command.position) for command in commands}
    return [order for order in orders if order.id in ids or not keys.isdisjoint(order.lookup_keys)]
