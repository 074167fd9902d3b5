"""Messages for the two input topics, for publishers: built, addressed, judged without a server (interface 5)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from orderstream.commands import Command, Headers, Kind, Operation, Record
from orderstream.decode import Contracts, decode
from orderstream.dialect import Example
from orderstream.dialects import DIALECTS
from orderstream.json_text import JsonObject
from orderstream.order import Position
from orderstream.outcomes import Refusal

KINDS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in Kind}
AS_DELIVERED: Final = Contracts()

_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a publisher sends: *kind* says to which of the two topics; the value goes out byte for byte."""

    kind: Kind
    key: bytes | None
    headers: Headers
    value: bytes | None
    partition: int | None = None  # None, or one that the topic lacks: the one that the key gives

    def says(self, name: str) -> str | None:
        """A header as text; None when it is not there or no text."""
        raw = next((value for sent, value in self.headers if sent == name), None)
        return None if raw is None else raw.decode(errors="replace")


class Recipient(NamedTuple):
    """A stored order, as an update must name it."""

    dialect: str
    tenant: str | None
    order_id: str  # `refs.order_id`
    key: str | None  # record key of its create, where that is text


def message(kind: Kind, key: str, headers: Mapping[str, str], value: JsonObject | str) -> Message:
    """A message of texts; the header `message-type` need not be given.

    A value that is JSON text already goes out as it stands, so that 1.10 stays 1.10.
    Raises `ValueError` when *value* holds what JSON cannot say.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    sent = {"message-type": kind.value, **headers}
    return Message(
        kind=kind,
        key=key.encode(),
        headers=tuple((name, each.encode()) for name, each in sent.items()),
        value=text.encode(),
    )


def of_example(example: Example) -> Message:
    """A dialect's example as a message."""
    return message(KINDS[example.headers["message-type"]], example.key, example.headers, example.value)


def judged(message: Message, contracts: Contracts = AS_DELIVERED) -> Command | Refusal:
    """What the worker makes of the message, as far as that does not depend on the stored order."""
    return decode(
        Record(
            kind=message.kind,
            position=Position(message.kind.value, 0, 0),
            at=_ANY_TIME,
            key=message.key,
            value=message.value,
            headers=message.headers,
        ),
        contracts,
    )


def addressed(message: Message, to: Recipient) -> Message:
    """The message with the key and the headers that lead to this order, where it brings none."""
    sent = {name for name, _ in message.headers}
    leading = {"message-type": message.kind.value, "dialect": to.dialect, **_tenant_header(to)}
    if sent.isdisjoint(("order-id", "order-ref")):
        leading["order-id"] = to.order_id
    missing = tuple((name, text.encode()) for name, text in leading.items() if name not in sent)
    key = message.key if message.key or to.key is None else to.key.encode()
    return replace(message, key=key, headers=(*message.headers, *missing))


def _tenant_header(to: Recipient) -> Mapping[str, str]:
    names = DIALECTS[to.dialect].headers(Operation.PATCH)
    return {} if to.tenant is None else {"site-account" if "site-account" in names else "tenant": to.tenant}
