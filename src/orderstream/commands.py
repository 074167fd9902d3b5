"""What the world can ask of the worker: a record as it came, and the command that it carries."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from orderstream.json_text import JsonObject
from orderstream.order import Position, Warned

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class Operation(StrEnum):
    """What a message asks for (contracts 1.3)."""

    CREATE = "order.create"
    PATCH = "order.patch"
    REPLACE = "order.replace"
    DELETE = "order.delete"
    ENTRY_CREATE = "entry.create"
    ENTRY_UPDATE = "entry.update"
    ENTRY_DELETE = "entry.delete"


class Kind(StrEnum):
    """Which of the two input topics a record came from, whatever they are called."""

    CREATE = "order-create"
    UPDATE = "order-update"


class Record(NamedTuple):
    """A Kafka record, untouched; *at* is its timestamp in UTC, cut to milliseconds."""

    kind: Kind
    position: Position
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers

    def digest(self) -> bytes:
        """8 bytes that tell this record from another one at the same position."""
        parts = [self.key, self.value, *(part for name, value in self.headers for part in (name.encode(), value))]
        told = b"".join([b"-" if part is None else b"%d:%b" % (len(part), part) for part in parts])
        return blake2b(told, digest_size=8).digest()


class Address(NamedTuple):
    """One way in which a message names its order or line."""

    kind: str  # "idempotency-key", "order-id", "order-number", "order-ref", "cart-id", "entry-id"
    value: str
    path: str  # header or member that named it
    shared: bool = False  # looked up across all tenants of the dialect
    guessable: bool = False  # the upstream can know it before the create is stored
    member: str | None = None  # member of the body that takes it when an order that has none is given it


class LineName(NamedTuple):
    """How an entry operation names its line; a new line may have neither."""

    id: Address | None
    ref: Address | None


class Command(NamedTuple):
    """A message that is right in itself."""

    operation: Operation
    dialect: str
    tenant: str | None
    position: Position
    at: datetime
    digest: bytes
    record_key: str | None
    idempotency_key: str | None
    source_version: int | None
    correlation_id: str | None
    traceparent: str | None
    replay_of: str | None
    addresses: tuple[Address, ...]  # of the order, as they are looked up
    brings: tuple[Address, ...]  # of lines that the message gives to the order
    keys: tuple[str, ...]  # lookup keys of `addresses`
    brought: tuple[str, ...]  # lookup keys of `brings`
    line: LineName | None  # the line of an entry operation
    site: Mapping[str, str]
    value: JsonObject
    said: bytes  # digest of what the message says after normalisation
    warnings: tuple[Warned, ...]
