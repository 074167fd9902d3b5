"""The order as it stands: what one MongoDB document holds, as plain frozen values."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from orderstream.json_text import JsonObject
from orderstream.problems import Problem

OrderStatus: TypeAlias = Literal[
    "draft", "created", "confirmed", "in_progress", "on_hold", "completed",
    "cancelled", "declined", "partially_returned", "returned", "other",
]  # fmt: skip
PaymentStatus: TypeAlias = Literal[
    "unknown", "unpaid", "pending", "authorized", "partially_paid", "paid", "declined",
    "fraud", "under_review", "voided", "partially_refunded", "refunded", "other",
]  # fmt: skip
FulfilmentStatus: TypeAlias = Literal[
    "unfulfilled", "in_process", "ready", "partially_shipped", "shipped", "partially_delivered",
    "delivered", "partially_fulfilled", "fulfilled", "partially_returned", "returned", "other",
]  # fmt: skip


class Status(NamedTuple):
    """The three canonical values (contracts 3)."""

    order: OrderStatus
    payment: PaymentStatus
    fulfilment: FulfilmentStatus


NEW = Status("created", "unknown", "unfulfilled")


class Position(NamedTuple):
    """Where a record stands; its identity on every redelivery."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The inverse of `str`. Raises `ValueError`."""
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))


class Warned(NamedTuple):
    """A deviation that was accepted (contracts 1.6)."""

    code: str
    path: str


class Change(NamedTuple):
    """One status event of the order, complete enough to make its bytes again."""

    sequence: int
    revision: int
    at: datetime
    before: Status | None  # None: the order is new
    after: Status | None  # None: the order is deleted
    native: JsonObject
    refs: Mapping[str, str]
    cause: Position
    correlation_id: str | None


class Decision(NamedTuple):
    """What was decided on one record; it is read again when the record is redelivered, never made again."""

    position: Position
    digest: bytes  # of the record, 8 bytes
    outcome: Literal["applied", "unchanged", "rejected"]
    at: datetime  # record time
    reason: str | None = None  # why unchanged
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    sequences: tuple[int, ...] = ()  # events to publish
    revision: int = 0  # of the order after it
    keys: tuple[str, ...] = ()  # addresses of lines by which the record came
    replay_of: str | None = None
    counts_from: Position | None = None  # of an update that waited: the record that took it along


class Seen(NamedTuple):
    """An idempotency key that an update of this order carried, and what it said."""

    key: str
    said: bytes


class Ledger(NamedTuple):
    """The worker's own part of the document (design 3)."""

    version: int = 1  # raised by every write; guards every replace
    said: bytes = b""  # what the create said
    source_version: int | None = None
    decisions: tuple[Decision, ...] = ()
    dropped: Mapping[tuple[str, int], int] = MappingProxyType({})  # partition -> highest offset dropped
    seen: tuple[Seen, ...] = ()


class Order(NamedTuple):
    """One order; interface.md section 2 gives the meaning of each member."""

    id: str
    dialect: str
    tenant: str | None
    refs: Mapping[str, str | Mapping[str, str]]
    lookup_keys: tuple[str, ...]
    idempotency_key: str | None
    record_key: str | None
    status: Status
    native: JsonObject
    customer: Mapping[str, str | Mapping[str, str]]
    currency: Mapping[str, str | None]
    totals: Mapping[str, Decimal]
    placed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    revision: int
    sequence: int
    history: tuple[Change, ...]
    warnings: tuple[Warned, ...]
    body: JsonObject
    ledger: Ledger
