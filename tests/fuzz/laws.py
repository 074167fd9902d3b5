"""What must hold of every message, however it came about."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from orderstream.answers import Answer, Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Record
from orderstream.decode import Contracts, decode
from orderstream.documents import UnstorableError, encode
from orderstream.headers import CREDENTIALS
from orderstream.kafka import BROKER_LIMIT, EPOCH, LATEST_MS
from orderstream.order import Order, Position
from orderstream.rejected import rejected_message
from tests.builders import NOW, found_by
from tests.fuzz.starts import Start

GROWTH: Final = 100  # bytes of a document for each byte of a message: a line `{}` is given an id, a key and a warning
BESIDES: Final = 8_192  # bytes of a document that come of no byte of the message
CONTRACTS: Final = Contracts()

Verdict: TypeAlias = Literal["applied", "unchanged", "parked", "rejected"]


def record_of(start: Start, milliseconds: int) -> Record:
    """As Kafka would deliver it."""
    at = EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), LATEST_MS))
    return Record(start.kind, Position(start.kind.value, 0, 7), at, start.key, start.value, start.headers)


def verdict_of(record: Record, orders: Sequence[Order]) -> Verdict:
    """Decide it as a lane would. Raises what must never be raised, and `AssertionError` where a law is broken."""
    item = Item(record, decode(record, CONTRACTS))
    try:
        decided = _decided(item, orders)
    except UnstorableError:
        decided = _decided(item, orders, record.position)
    (answer,) = decided.answers
    if answer.verdict == "rejected":
        _expect_sendable(answer)
    for event in decided.events:
        json.loads(event.value)
    return answer.verdict


def _decided(item: Item, orders: Sequence[Order], *unstorable: Position) -> Decided:
    """Raises `UnstorableError`."""
    found = found_by([item], orders)
    about = Circumstances(numbers={item.record.position: 7}, unstorable=frozenset(unstorable))
    decided = decide([item], found, about)
    room = GROWTH * _size(item.record) + BESIDES
    for write in decided.writes:
        before = len(encode(write.before)) if write.before else 0
        assert len(encode(write.after)) <= before + room, "the document grows beyond all measure"
    return decided


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _expect_sendable(answer: Answer) -> None:
    """The rejection can go out: it fits, it can be encoded, it says what is wrong and holds no credentials."""
    message = rejected_message(answer.record, answer.problems, answer.problem_count, NOW, BROKER_LIMIT)
    size = sum(len(name.encode()) + len(value or b"") for name, value in message.headers)
    assert size + len(message.key or b"") + len(message.value or b"") < BROKER_LIMIT
    assert message.key is not None or message.value is not None
    assert json.loads(dict(message.headers)["rejection-problems"] or b"")
    assert CREDENTIALS.isdisjoint(name.lower() for name, _ in message.headers)
