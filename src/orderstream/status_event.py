"""The status event: its bytes, made from the order's history and the same each time (interface 3)."""

from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

import orjson

from orderstream.order import Change, Order, Position, Status

CONTENT_TYPE: Final = b"application/cloudevents+json; charset=utf-8"

Repeat: TypeAlias = Literal["redelivery", "equal-create", "earlier-unacknowledged", "mark"]


class Event(NamedTuple):
    """A status event as it goes out."""

    order_id: str
    sequence: int
    type: str
    at: datetime  # of the record that caused it
    cause: Position
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    again: Repeat | None = None  # why it goes out although it went out before, or may have


def event_of(order: Order, sequence: int, traceparent: str | None = None, again: Repeat | None = None) -> Event:
    """The order's event with this number; a trace goes with its first publication only."""
    change = order.history[sequence - 1]
    kind = _type(change)
    value = orjson.dumps(_envelope(order, change, kind))
    headers = _headers(order, change, traceparent)
    return Event(order.id, sequence, kind, change.at, change.cause, value, headers, again)


def rfc_3339(moment: datetime) -> str:
    """UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def source(dialect: str, tenant: str | None) -> str:
    """`/orderstream/<dialect>` and, where there is one, `/<tenant>`."""
    return f"/orderstream/{dialect}" + (f"/{quote(tenant, safe='')}" if tenant else "")


def _type(change: Change) -> str:
    if change.before is None:
        return "order.created"
    return "order.deleted" if change.after is None else "order.status-changed"


def _envelope(order: Order, change: Change, kind: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"{order.id}:{change.sequence}",
        "type": kind,
        "source": source(order.dialect, order.tenant),
        "subject": order.id,
        "time": rfc_3339(change.at),
        "datacontenttype": "application/json",
        "data": {
            "order_id": order.id,
            "dialect": order.dialect,
            "tenant": order.tenant,
            "refs": dict(change.refs),
            "sequence": change.sequence,
            "revision": change.revision,
            "from": _members(change.before),
            "to": _members(change.after),
            "changed": _changed(change),
            "native": change.native,
            "cause": str(change.cause),
            "correlation_id": change.correlation_id,
        },
    }


def _members(status: Status | None) -> dict[str, str] | None:
    return None if status is None else dict(status._asdict())


def _changed(change: Change) -> list[str]:
    if change.before is None or change.after is None:
        return list(Status._fields)
    both = zip(Status._fields, change.before, change.after, strict=True)
    return [name for name, before, after in both if before != after]


def _headers(order: Order, change: Change, traceparent: str | None) -> tuple[tuple[str, bytes], ...]:
    known = {
        "dialect": order.dialect,
        "tenant": order.tenant,
        "correlation-id": change.correlation_id,
        "traceparent": traceparent,
    }
    texts = tuple((name, text.encode()) for name, text in known.items() if text is not None)
    return (("content-type", CONTENT_TYPE), *texts)
