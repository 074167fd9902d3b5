"""Status events for subscribers in Python: read strictly, repeats dropped, gaps told (interface 3)."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from aiokafka import ConsumerRecord
from annotated_types import Ge
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from orderstream.json_text import JsonObject
from orderstream.order import FulfilmentStatus, OrderStatus, PaymentStatus, Position, Status

EventType: TypeAlias = Literal["order.created", "order.status-changed", "order.deleted"]
Counted: TypeAlias = Annotated[int, Ge(1)]
Hex24: TypeAlias = Annotated[str, StringConstraints(pattern="^[0-9a-f]{24}$")]


class NotAnEventError(ValueError):
    """The bytes are no status event; the text says where they differ from one, without quoting them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEvent:
    """One change of status; *before* is None for a new order, *after* for a deleted one."""

    id: str
    type: EventType
    source: str
    time: datetime  # of the record that caused it
    order_id: str
    dialect: str
    tenant: str | None
    refs: Mapping[str, str]
    sequence: int
    revision: int
    before: Status | None
    after: Status | None
    changed: tuple[str, ...]
    native: JsonObject
    cause: Position
    correlation_id: str | None


class _Model(BaseModel):
    model_config = ConfigDict(strict=True)  # members of a later version are passed over


class _Status(_Model):
    order: OrderStatus
    payment: PaymentStatus
    fulfilment: FulfilmentStatus

    def value(self) -> Status:
        return Status(self.order, self.payment, self.fulfilment)


class _Data(_Model):
    order_id: Hex24
    dialect: str
    tenant: str | None
    refs: dict[str, str]
    sequence: Counted
    revision: Counted
    before: _Status | None = Field(alias="from")
    after: _Status | None = Field(alias="to")
    changed: list[Literal["order", "payment", "fulfilment"]]
    native: dict[str, Any]
    cause: Annotated[str, StringConstraints(pattern=r"^[^/]+(/[0-9]+){2}$")]
    correlation_id: str | None

    def type(self) -> EventType:
        if self.before is None:
            return "order.created"
        return "order.deleted" if self.after is None else "order.status-changed"


class _Envelope(_Model):
    specversion: Literal["1.0"]
    id: str
    type: EventType
    source: str
    subject: Hex24
    time: AwareDatetime
    datacontenttype: Literal["application/json"]
    data: _Data

    @model_validator(mode="after")
    def _says_one_thing(self) -> "_Envelope":
        if (self.subject, self.id) != (self.data.order_id, f"{self.data.order_id}:{self.data.sequence}"):
            raise ValueError("id, subject and data name different events")
        if self.type != self.data.type() or self.data.before == self.data.after:
            raise ValueError("type does not go with from and to")
        return self


def status_event(value: bytes | None) -> StatusEvent:
    """The event in a record's value. Raises `NotAnEventError`."""
    try:
        envelope = _Envelope.model_validate_json(value or b"")
    except ValidationError as error:
        raise NotAnEventError(_first(error)) from None
    data = envelope.data
    return StatusEvent(
        id=envelope.id,
        type=envelope.type,
        source=envelope.source,
        time=envelope.time,
        order_id=data.order_id,
        dialect=data.dialect,
        tenant=data.tenant,
        refs=data.refs,
        sequence=data.sequence,
        revision=data.revision,
        before=None if data.before is None else data.before.value(),
        after=None if data.after is None else data.after.value(),
        changed=tuple(data.changed),
        native=data.native,
        cause=Position.parse(data.cause),
        correlation_id=data.correlation_id,
    )


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(each) for each in first["loc"])
    return f"{place or 'value'}: {first['msg'].removeprefix('Value error, ')}"


class Sequences:
    """The last sequence seen of each order; a few hundred bytes per order, so keep yours with your own data."""

    def __init__(self, last: Mapping[str, int] | None = None) -> None:
        self._last = dict(last or {})

    def admit(self, event: StatusEvent) -> range | None:
        """The sequences that are missing before *event*, none as a rule; None when it is a repeat.

        Nothing is missing before the first event that is seen of an order: a subscriber may begin in the middle.
        """
        last = self._last.get(event.order_id, event.sequence - 1)
        if event.sequence <= last:
            return None
        self._last[event.order_id] = event.sequence
        return range(last + 1, event.sequence)


class Received(NamedTuple):
    """A new event; *missing* are sequences of its order that did not come."""

    event: StatusEvent
    position: Position
    value: bytes
    missing: range


class Unreadable(NamedTuple):
    """A record that is no status event, and why."""

    position: Position
    reason: str


async def events(
    records: AsyncIterable["ConsumerRecord[bytes, bytes]"], seen: Sequences
) -> AsyncIterator[Received | Unreadable]:
    """The events among *records*, each once: those of `following`, or of any consumer that gives bytes."""
    async for record in records:
        position = Position(record.topic, record.partition, record.offset)
        try:
            event = status_event(record.value)
        except NotAnEventError as error:
            yield Unreadable(position, str(error))
            continue
        missing = seen.admit(event)
        if missing is not None:
            yield Received(event, position, record.value or b"", missing)
